/*
 * A PKCS#11 module that hands every call on to another one, and misbehaves when it is told to: what a device does that is
 * unplugged, restarted, or badly made. FAULTY_MODULE_TARGET names the other module, FAULTY_MODULE_FOLDER a folder with
 *   fault   lines "FUNCTION WHAT [once]", where WHAT is a return code in decimal, `hang`, `crash`, `flip` (a signature with a bit
 *           changed), `bare` (CKA_EC_POINT without its DER header) or `final-try` (a token's flag); read at each call.
           `once` ends all of them
 *   calls   a line is added to it for each call of the functions below
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define CK_PTR *
#define CK_DECLARE_FUNCTION(returnType, name) returnType name
#define CK_DECLARE_FUNCTION_POINTER(returnType, name) returnType(*name)
#define CK_CALLBACK_FUNCTION(returnType, name) returnType(*name)
#ifndef NULL_PTR
#define NULL_PTR 0
#endif
#include <pkcs11/pkcs11.h>

static CK_FUNCTION_LIST faulty;
static CK_FUNCTION_LIST_PTR real;
static __thread char what[32];

static void path_of(char *path, size_t size, const char *name) {
  snprintf(path, size, "%s/%s", getenv("FAULTY_MODULE_FOLDER"), name);
}

static void note(const char *function) {
  char path[4096];
  path_of(path, sizeof path, "calls");
  FILE *file = fopen(path, "a");
  if (file == NULL) return;
  fprintf(file, "%s\n", function);
  fclose(file);
}

/* Whether this function is to misbehave now; then `what` says how. */
static int told(const char *function) {
  char path[4096], name[64], once[16] = "";
  path_of(path, sizeof path, "fault");
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  char line[128], found[32] = "";
  while (found[0] == 0 && fgets(line, sizeof line, file) != NULL) {
    once[0] = 0;
    if (sscanf(line, "%63s %31s %15s", name, what, once) >= 2 && strcmp(name, function) == 0) strcpy(found, what);
  }
  fclose(file);
  if (found[0] == 0) return 0;
  strcpy(what, found);
  if (strcmp(once, "once") == 0) unlink(path);
  if (strcmp(what, "hang") == 0) for (;;) pause();
  if (strcmp(what, "crash") == 0) abort();
  return 1;
}

/* The return code that is to be given; CKR_OK where the fault is of another kind. */
static CK_RV before(const char *function) {
  note(function);
  what[0] = 0;
  return told(function) ? (CK_RV)strtoul(what, NULL, 10) : CKR_OK;
}

#define PASS(name, parameters, arguments)      \
  CK_RV name parameters {                      \
    CK_RV fault = before(#name);               \
    return fault ? fault : real->name arguments; \
  }

PASS(C_Initialize, (CK_VOID_PTR a), (a))
PASS(C_Finalize, (CK_VOID_PTR a), (a))
PASS(C_GetSlotList, (CK_BBOOL a, CK_SLOT_ID_PTR b, CK_ULONG_PTR c), (a, b, c))
PASS(C_OpenSession, (CK_SLOT_ID a, CK_FLAGS b, CK_VOID_PTR c, CK_NOTIFY d, CK_SESSION_HANDLE_PTR e), (a, b, c, d, e))
PASS(C_Login, (CK_SESSION_HANDLE a, CK_USER_TYPE b, CK_UTF8CHAR_PTR c, CK_ULONG d), (a, b, c, d))
PASS(C_FindObjectsInit, (CK_SESSION_HANDLE a, CK_ATTRIBUTE_PTR b, CK_ULONG c), (a, b, c))
PASS(C_SignInit, (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_OBJECT_HANDLE c), (a, b, c))
PASS(C_GenerateKeyPair,
     (CK_SESSION_HANDLE a, CK_MECHANISM_PTR b, CK_ATTRIBUTE_PTR c, CK_ULONG d, CK_ATTRIBUTE_PTR e, CK_ULONG f,
      CK_OBJECT_HANDLE_PTR g, CK_OBJECT_HANDLE_PTR h),
     (a, b, c, d, e, f, g, h))
PASS(C_CreateObject, (CK_SESSION_HANDLE a, CK_ATTRIBUTE_PTR b, CK_ULONG c, CK_OBJECT_HANDLE_PTR d), (a, b, c, d))

CK_RV C_Sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG length, CK_BYTE_PTR out, CK_ULONG_PTR size) {
  CK_RV fault = before("C_Sign");
  if (fault) return fault;
  int flips = strcmp(what, "flip") == 0;
  CK_RV answer = real->C_Sign(session, data, length, out, size);
  if (answer == CKR_OK && flips && out != NULL) out[40] ^= 1;
  return answer;
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
  CK_RV answer = real->C_GetTokenInfo(slot, info);
  if (answer == CKR_OK && told("C_GetTokenInfo") && strcmp(what, "final-try") == 0) info->flags |= CKF_USER_PIN_FINAL_TRY;
  return answer;
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR list, CK_ULONG count) {
  CK_RV answer = real->C_GetAttributeValue(session, object, list, count);
  if (answer != CKR_OK || !told("C_GetAttributeValue") || strcmp(what, "bare") != 0) return answer;
  for (CK_ULONG at = 0; at < count; at++) {
    if (list[at].type != CKA_EC_POINT) continue;
    if (list[at].pValue != NULL) memmove(list[at].pValue, (char *)list[at].pValue + 2, list[at].ulValueLen - 2);
    /* The first call asks for the length alone; its caller may then have room to spare. */
    if (list[at].pValue != NULL) list[at].ulValueLen -= 2;
  }
  return answer;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
  void *handle = dlopen(getenv("FAULTY_MODULE_TARGET"), RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return CKR_GENERAL_ERROR;
  CK_C_GetFunctionList get = (CK_C_GetFunctionList)dlsym(handle, "C_GetFunctionList");
  if (get == NULL || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  faulty = *real;
  faulty.C_Initialize = C_Initialize;
  faulty.C_Finalize = C_Finalize;
  faulty.C_GetSlotList = C_GetSlotList;
  faulty.C_GetTokenInfo = C_GetTokenInfo;
  faulty.C_OpenSession = C_OpenSession;
  faulty.C_Login = C_Login;
  faulty.C_FindObjectsInit = C_FindObjectsInit;
  faulty.C_SignInit = C_SignInit;
  faulty.C_Sign = C_Sign;
  faulty.C_GenerateKeyPair = C_GenerateKeyPair;
  faulty.C_CreateObject = C_CreateObject;
  faulty.C_GetAttributeValue = C_GetAttributeValue;
  *list = &faulty;
  return CKR_OK;
}
