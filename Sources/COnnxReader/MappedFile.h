#pragma once

#include <cstddef>
#include <cstdint>

#include "COnnxReader.h"

namespace sardonyx {

/// The bytes of one file, page-aligned: mapped, or copied into anonymous pages. Frees them when it goes.
class MappedFile {
public:
    /// Throws Failure, also for what is not a regular file.
    static MappedFile open(const char *path, sdx_open_mode mode, bool followLinks);
    static MappedFile copy(const void *bytes, size_t count);

    MappedFile() = default;
    MappedFile(MappedFile &&other) noexcept;
    MappedFile &operator=(MappedFile &&other) noexcept;
    MappedFile(const MappedFile &) = delete;
    ~MappedFile();

    const uint8_t *data() const { return data_; }  // null when empty
    size_t size() const { return size_; }

    /// Drops the resident pages that lie wholly in the range. Only of mapped files: copied ones would turn to zeros.
    void release(const void *start, size_t count) const noexcept;
    void prefetch(const void *start, size_t count) const noexcept;

    /// Switches the system's read-ahead, which would fetch weights while only the headers between them are read.
    void setReadAhead(bool on) const noexcept;

private:
    uint8_t *data_ = nullptr;
    size_t size_ = 0;
    bool isMapped_ = false;

    void advise(const void *start, size_t count, int advice, bool inward) const noexcept;
    static MappedFile anonymous(size_t count);
};

}  // namespace sardonyx
