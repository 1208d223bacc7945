#include "CRegularExpressions.h"

#include <re2/re2.h>

#include <cstring>
#include <exception>
#include <memory>
#include <string>

struct cre_pattern {
    re2::RE2 re;

    cre_pattern(const re2::StringPiece &text, const re2::RE2::Options &options) : re(text, options) {}
};

namespace {

void report(char *message, const char *text) noexcept {
    std::strncpy(message, text, CRE_MESSAGE_SIZE - 1);
    message[CRE_MESSAGE_SIZE - 1] = 0;
}

}  // namespace

extern "C" cre_pattern *cre_compile(const char *text, size_t count, char *message) {
    try {
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_never_capture(true);
        auto pattern = std::make_unique<cre_pattern>(re2::StringPiece(text, count), options);
        if (pattern->re.ok()) return pattern.release();
        report(message, pattern->re.error().c_str());
    } catch (const std::exception &error) {
        report(message, error.what());
    } catch (...) {
        report(message, "unknown error");
    }
    return nullptr;
}

extern "C" int cre_matches_all(const cre_pattern *pattern, const char *text, size_t count) {
    try {
        return re2::RE2::FullMatch(re2::StringPiece(text, count), pattern->re) ? 1 : 0;
    } catch (...) {
        return -1;
    }
}

extern "C" void cre_free(cre_pattern *pattern) { delete pattern; }
