#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "COnnxReader.h"

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Weights are used as the file has them, little-endian: big-endian machines are not supported."
#endif

namespace sardonyx {

/// What an open function throws inside; `guarded` turns it into an sdx_error.
struct Failure : std::exception {
    sdx_error_code code;
    std::string message;
    int64_t offset;

    Failure(sdx_error_code code, std::string message, int64_t offset = -1)
        : code(code), message(std::move(message)), offset(offset) {}
    const char *what() const noexcept override { return message.c_str(); }
};

void report(sdx_error *error, sdx_error_code code, const char *message, int64_t offset) noexcept;

/// Runs `body`, which returns a pointer. No C++ exception passes: Swift cannot unwind through C++.
template <typename Body>
auto guarded(sdx_error *error, Body body) noexcept -> decltype(body()) {
    report(error, SDX_ERROR_NONE, "", -1);
    try {
        return body();
    } catch (const Failure &failure) {
        report(error, failure.code, failure.what(), failure.offset);
    } catch (const std::bad_alloc &) {
        report(error, SDX_ERROR_OUT_OF_MEMORY, "out of memory", -1);
    } catch (const std::exception &exception) {
        report(error, SDX_ERROR_INTERNAL, exception.what(), -1);
    } catch (...) {
        report(error, SDX_ERROR_INTERNAL, "unknown C++ exception", -1);
    }
    return nullptr;
}

}  // namespace sardonyx
