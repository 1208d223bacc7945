// C border to RE2, whose matching takes time linear in the text and memory of a fixed size, whatever the pattern. No
// C++ exception and no library type crosses it.
#ifndef SARDONYX_CREGULAREXPRESSIONS_H
#define SARDONYX_CREGULAREXPRESSIONS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Longest message written below, with its final zero.
enum { CRE_MESSAGE_SIZE = 256 };

// A compiled pattern. Any number of threads may match with one at once.
typedef struct cre_pattern cre_pattern;

// Compiles `count` bytes of UTF-8 in RE2's syntax. Returns NULL where they are no pattern, or one that compiles to more
// than 8 MB; `message` (CRE_MESSAGE_SIZE bytes) then says why.
cre_pattern *cre_compile(const char *text, size_t count, char *message);

// 1 if the pattern matches all of the `count` bytes, 0 if not, -1 when there is no memory. Bytes that are no UTF-8
// match nothing but \C.
int cre_matches_all(const cre_pattern *pattern, const char *text, size_t count);

void cre_free(cre_pattern *pattern);

#ifdef __cplusplus
}
#endif
#endif
