# A pseudo-terminal: its name on the first line of standard output, then what comes out of it there, and what goes in on
# standard input. It is left as the system makes it: not raw, and with an echo.
import os, pty, select

master, slave = pty.openpty()
os.write(1, os.ttyname(slave).encode() + b"\n")
while True:
    ready, _, _ = select.select([0, master], [], [])
    for source in ready:
        data = os.read(source, 4096)
        if source == 0 and not data:
            raise SystemExit
        target = 1 if source == master else master
        while data:
            data = data[os.write(target, data):]
