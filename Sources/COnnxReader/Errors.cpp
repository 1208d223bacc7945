#include "Errors.h"

#include <algorithm>
#include <cstring>

namespace sardonyx {

void report(sdx_error *error, sdx_error_code code, const char *message, int64_t offset) noexcept {
    if (!error) return;
    error->code = code;
    error->offset = offset;
    size_t count = std::min(std::strlen(message), sizeof error->message - 1);
    std::memcpy(error->message, message, count);
    error->message[count] = 0;
}

}  // namespace sardonyx

extern "C" const char *sdx_error_message(const sdx_error *error) { return error->message; }
