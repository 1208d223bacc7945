#include "WireWalk.h"

#include <climits>
#include <string>
#include <utility>

#include "Errors.h"

namespace sardonyx {
namespace {

// libprotobuf counts in int and keeps a few bytes of slop.
constexpr size_t streamLimit = INT_MAX - 4096;
// A message of two bytes becomes an object of about 200: a small file must not fill the memory.
constexpr size_t messageLimit = size_t(1) << 24;
// A message's length is known only at its end: it gets a varint of fixed width, which libprotobuf accepts.
constexpr size_t lengthWidth = 5;

enum WireType : uint32_t { varint = 0, fixed64 = 1, delimited = 2, groupStart = 3, groupEnd = 4, fixed32 = 5 };

class Walker {
public:
    Walker(const uint8_t *data, size_t count, Kind kind) : start_(data), p_(data) {
        frames_.push_back({data + count, 0, kind});
    }

    std::vector<uint8_t> run() {
        for (;;) {
            if (p_ != frames_.back().end) {
                field();
            } else if (frames_.size() > 1) {
                patchLength(frames_.back().lengthAt);
                frames_.pop_back();
            } else {
                return std::move(out_);
            }
        }
    }

private:
    struct Frame {
        const uint8_t *end;
        size_t lengthAt;  // where in the output the message's length stands
        Kind kind;
    };

    const uint8_t *start_;
    const uint8_t *p_;
    std::vector<Frame> frames_;
    std::vector<uint8_t> out_;
    size_t messageCount_ = 0;

    [[noreturn]] void fail(const uint8_t *at, sdx_error_code code, const char *what) const {
        int64_t offset = at - start_;
        throw Failure(
            code, std::string(what) + ", in a " + kindName(frames_.back().kind) + " at byte " + std::to_string(offset),
            offset);
    }

    const uint8_t *end() const { return frames_.back().end; }

    uint64_t readVarint() {
        const uint8_t *at = p_;
        uint64_t value = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            if (p_ == end()) fail(at, SDX_ERROR_CORRUPT, "a number is cut short");
            uint8_t byte = *p_++;
            value |= uint64_t(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        fail(at, SDX_ERROR_CORRUPT, "a number is longer than 10 bytes");
    }

    size_t readLength() {
        const uint8_t *at = p_;
        uint64_t length = readVarint();
        if (length > uint64_t(end() - p_))
            fail(at, SDX_ERROR_CORRUPT,
                 frames_.size() == 1 ? "the file is cut short" : "a field runs past the end of its message");
        return size_t(length);
    }

    void skip(size_t count) {
        if (count > size_t(end() - p_)) fail(p_, SDX_ERROR_CORRUPT, "a number is cut short");
        p_ += count;
    }

    void write(const void *bytes, size_t count) {
        if (count > streamLimit - out_.size())
            fail(p_, SDX_ERROR_TOO_LARGE, "more than 2 GB beside the raw weights");
        auto first = static_cast<const uint8_t *>(bytes);
        out_.insert(out_.end(), first, first + count);
    }

    void writeVarint(uint64_t value) {
        uint8_t bytes[10];
        size_t count = 0;
        for (; value >= 0x80; value >>= 7) bytes[count++] = uint8_t(value) | 0x80;
        bytes[count++] = uint8_t(value);
        write(bytes, count);
    }

    void writeTag(uint16_t number, uint32_t wireType) { writeVarint(uint64_t(number) << 3 | wireType); }

    void patchLength(size_t at) {
        size_t length = out_.size() - at - lengthWidth;
        for (size_t i = 0; i < lengthWidth; i++, length >>= 7)
            out_[at + i] = uint8_t(length & 0x7f) | (i + 1 < lengthWidth ? 0x80 : 0);
    }

    void field() {
        const uint8_t *at = p_;
        uint64_t tag = readVarint();
        if (tag > UINT32_MAX || tag >> 3 == 0) fail(at, SDX_ERROR_CORRUPT, "not a field's tag");
        auto wireType = uint32_t(tag & 7);
        FieldRule rule = fieldRule(frames_.back().kind, uint32_t(tag >> 3));
        if (wireType == delimited) {
            delimitedField(rule);
            return;
        }
        const uint8_t *payload = p_;
        switch (wireType) {
        case varint: readVarint(); break;
        case fixed64: skip(8); break;
        case fixed32: skip(4); break;
        default: fail(at, SDX_ERROR_CORRUPT, "a wire type that ONNX does not use");  // groups too: no ONNX has them
        }
        if (rule.action != Action::scalar) return;
        writeTag(rule.number, wireType);
        write(payload, size_t(p_ - payload));
    }

    void delimitedField(FieldRule rule) {
        const uint8_t *at = p_;
        size_t length = readLength();
        switch (rule.action) {
        case Action::drop: break;
        case Action::raw: {
            RawSpan span{p_, length};
            writeTag(rule.number, delimited);
            writeVarint(sizeof span);
            write(&span, sizeof span);
            break;
        }
        case Action::scalar:
        case Action::bytes:
            writeTag(rule.number, delimited);
            writeVarint(length);
            write(p_, length);
            break;
        case Action::message: {
            if (frames_.size() >= size_t(depthLimit)) fail(at, SDX_ERROR_TOO_DEEP, "messages are nested too deep");
            if (++messageCount_ > messageLimit) fail(at, SDX_ERROR_TOO_LARGE, "more than 16 million messages");
            writeTag(rule.number, delimited);
            size_t lengthAt = out_.size();
            static constexpr uint8_t placeholder[lengthWidth] = {};
            write(placeholder, lengthWidth);
            frames_.push_back({p_ + length, lengthAt, rule.kind});
            return;
        }
        }
        p_ += length;
    }
};

}  // namespace

std::vector<uint8_t> rewrite(const uint8_t *data, size_t count, Kind kind) { return Walker(data, count, kind).run(); }

}  // namespace sardonyx
