#include "MappedFile.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <system_error>
#include <utility>

#include "Errors.h"

namespace sardonyx {
namespace {

[[noreturn]] void failOpen(const char *what, int number) {
    if (number == ENOMEM) throw std::bad_alloc();
    throw Failure(SDX_ERROR_CANNOT_OPEN, std::string(what) + ": " + std::generic_category().message(number));
}

struct Descriptor {
    int number;
    ~Descriptor() { ::close(number); }
};

}  // namespace

MappedFile::MappedFile(MappedFile &&other) noexcept { *this = std::move(other); }

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(isMapped_, other.isMapped_);
    return *this;
}

MappedFile::~MappedFile() {
    if (data_) ::munmap(data_, size_);
}

MappedFile MappedFile::anonymous(size_t count) {
    MappedFile file;
    if (count == 0) return file;
    void *pages = ::mmap(nullptr, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    file.data_ = static_cast<uint8_t *>(pages);
    file.size_ = count;
    return file;
}

MappedFile MappedFile::copy(const void *bytes, size_t count) {
    MappedFile file = anonymous(count);
    if (count) std::memcpy(file.data_, bytes, count);
    return file;
}

MappedFile MappedFile::open(const char *path, sdx_open_mode mode, bool followLinks) {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followLinks ? 0 : O_NOFOLLOW);
    int number;
    do number = ::open(path, flags);
    while (number < 0 && errno == EINTR);
    if (number < 0) {
        if (errno == ELOOP && !followLinks) throw Failure(SDX_ERROR_CANNOT_OPEN, "cannot open: it is a symbolic link");
        failOpen("cannot open", errno);
    }
    Descriptor descriptor{number};

    struct stat status;
    if (::fstat(number, &status) != 0) failOpen("cannot open", errno);
    if (!S_ISREG(status.st_mode)) throw Failure(SDX_ERROR_CANNOT_OPEN, "cannot open: not a regular file");
    if (status.st_size < 0 || static_cast<uintmax_t>(status.st_size) > std::numeric_limits<ptrdiff_t>::max())
        throw Failure(SDX_ERROR_TOO_LARGE, "the file is larger than the address space");
    auto size = static_cast<size_t>(status.st_size);
    if (size == 0) return MappedFile();

    if (mode == SDX_OPEN_MAPPED) {
        void *pages = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, number, 0);
        if (pages == MAP_FAILED) failOpen("cannot map", errno);
        MappedFile file;
        file.data_ = static_cast<uint8_t *>(pages);
        file.size_ = size;
        file.isMapped_ = true;
        return file;
    }

    MappedFile file = anonymous(size);
    for (size_t done = 0; done < size;) {
        ssize_t count = ::read(number, file.data_ + done, size - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) failOpen("cannot read", errno);
        if (count == 0)
            throw Failure(SDX_ERROR_CANNOT_OPEN, "the file was cut short while it was read", int64_t(done));
        done += static_cast<size_t>(count);
    }
    return file;
}

void MappedFile::advise(const void *start, size_t count, int advice, bool inward) const noexcept {
    auto first = reinterpret_cast<uintptr_t>(start), base = reinterpret_cast<uintptr_t>(data_);
    if (!isMapped_ || first < base || first - base > size_ || count > size_ - (first - base)) return;
    auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    uintptr_t low = first - base, high = low + count;
    low = inward ? (low + page - 1) / page * page : low / page * page;
    // The last page is the file's alone, though the file ends inside it.
    if (high != size_) high = inward ? high / page * page : (high + page - 1) / page * page;
    if (low < high) ::madvise(data_ + low, high - low, advice);
}

void MappedFile::release(const void *start, size_t count) const noexcept {
    advise(start, count, MADV_DONTNEED, true);
}
void MappedFile::prefetch(const void *start, size_t count) const noexcept {
    advise(start, count, MADV_WILLNEED, false);
}
void MappedFile::setReadAhead(bool on) const noexcept {
    advise(data_, size_, on ? MADV_NORMAL : MADV_RANDOM, false);
}

}  // namespace sardonyx

using sardonyx::MappedFile;

static const MappedFile &in(const sdx_file *file) { return *reinterpret_cast<const MappedFile *>(file); }

extern "C" {

sdx_file *sdx_file_open(const char *path, sdx_open_mode mode, bool follow_links, sdx_error *error) {
    return sardonyx::guarded(error, [&] {
        return reinterpret_cast<sdx_file *>(new MappedFile(MappedFile::open(path, mode, follow_links)));
    });
}
void sdx_file_close(sdx_file *file) { delete reinterpret_cast<MappedFile *>(file); }
const void *sdx_file_bytes(const sdx_file *file) { return in(file).data(); }
size_t sdx_file_byte_count(const sdx_file *file) { return in(file).size(); }
void sdx_file_release_pages(const sdx_file *file, const void *start, size_t count) { in(file).release(start, count); }
void sdx_file_prefetch_pages(const sdx_file *file, const void *start, size_t count) { in(file).prefetch(start, count); }

}  // extern "C"
