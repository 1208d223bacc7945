#define _GNU_SOURCE

#include "CDigest.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

static int finish(EVP_MD_CTX *context, int failure, char *text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (failure == 0 && EVP_DigestFinal_ex(context, digest, &size) != 1) failure = ENOMEM;
    EVP_MD_CTX_free(context);
    if (failure != 0) return failure;
    for (unsigned int i = 0; i < size && 2 * i + 2 < CDG_TEXT_SIZE; i++) {
        text[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    text[CDG_TEXT_SIZE - 1] = 0;
    return 0;
}

static EVP_MD_CTX *start(void) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        return NULL;
    }
    return context;
}

int cdg_sha256(const void *bytes, size_t count, char *text) {
    EVP_MD_CTX *context = start();
    if (context == NULL) return ENOMEM;
    return finish(context, EVP_DigestUpdate(context, bytes, count) == 1 ? 0 : ENOMEM, text);
}

int cdg_sha256_file(const char *path, char *text) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno;
    EVP_MD_CTX *context = start();
    int failure = context == NULL ? ENOMEM : 0;
    unsigned char buffer[1 << 16];
    while (failure == 0) {
        ssize_t count = read(file, buffer, sizeof buffer);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) failure = errno;
        if (count <= 0) break;
        if (EVP_DigestUpdate(context, buffer, (size_t)count) != 1) failure = ENOMEM;
    }
    close(file);
    if (context == NULL) return failure;
    return finish(context, failure, text);
}
