/**
 * The client's public key of the examples. Its 32 bytes are the SHA-256 of the sentence "tezos-signer: an example of a client
 * that nobody is", so nobody can hold a private half: whoever copies it lets nobody in.
 */
export const EXAMPLE_CLIENT = "edpktm9ku5kkLRPtAFaHQyCFYzYJEn1Pm85NiSLjaANYjMZ9sXRwaZ";
