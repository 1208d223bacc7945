// SHA-256 by OpenSSL's libcrypto, which uses the processor's instructions for it.
#ifndef SARDONYX_CDIGEST_H
#define SARDONYX_CDIGEST_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// 64 digits and the final zero.
enum { CDG_TEXT_SIZE = 65 };

// The digest of a file's bytes as lower-case hexadecimal digits in `text` (CDG_TEXT_SIZE bytes). Returns 0, or errno
// where the file cannot be read. Memory: a buffer of 64 KiB.
int cdg_sha256_file(const char *path, char *text);

// The digest of `count` bytes. Returns 0, or ENOMEM.
int cdg_sha256(const void *bytes, size_t count, char *text);

#ifdef __cplusplus
}
#endif
#endif
