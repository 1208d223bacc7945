@_exported import SardonyxTestSupport
import Testing

@testable import SardonyxImaging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A folder of its own that goes away with the value.
final class Folder {
    let path: String

    init() throws {
        var template = Array("/tmp/sardonyx-imaging-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        for name in names { unlink(path + "/" + name) }
        rmdir(path)
    }

    var names: [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Writes bytes, gzipped when the name says so or when asked, and returns the path.
    func write(_ bytes: [UInt8], _ name: String, gzip: Bool? = nil) throws -> String {
        let file = path + "/" + name
        guard gzip ?? name.hasSuffix(".gz") else {
            // Without waiting for the disk: tests write thousands of files.
            let plain = try #require(fopen(file, "wb"))
            let written = fwrite(bytes, 1, bytes.count, plain)
            #expect(fclose(plain) == 0 && written == bytes.count)
            return file
        }
        let writer = try ByteWriter(file, for: file, as: .gzip)
        try bytes.withUnsafeBytes { try writer.write($0) }
        try writer.close()
        return file
    }

    func read(_ name: String) throws -> [UInt8] {
        let file = try #require(fopen(path + "/" + name, "rb"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var byte = fgetc(file)
        while byte != EOF {
            bytes.append(UInt8(byte))
            byte = fgetc(file)
        }
        return bytes
    }
}

/// The same numbers in Swift and in the Python that made the expected values: a 64-bit linear congruence's top 32 bits.
struct Congruence: RandomNumberGenerator {
    var state: UInt64 = 1

    mutating func next32() -> UInt32 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt32(state >> 32)
    }

    mutating func next() -> UInt64 { UInt64(next32()) << 32 | UInt64(next32()) }
}

extension Affine {
    var flat: [Double] { [x, y, z].flatMap { row in (0..<4).map { row[$0] } } }
}

func fromBase64(_ text: String) -> [UInt8] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var (bytes, bits, count) = ([UInt8](), 0, 0)
    for digit in text.utf8 {
        guard let value = digits.firstIndex(of: digit) else { continue }
        (bits, count) = ((bits << 6 | value) & 0xfffff, count + 6)
        if count >= 8 {
            count -= 8
            bytes.append(UInt8(bits >> count & 0xff))
        }
    }
    return bytes
}

func withError(_ body: () throws -> Void) -> ImagingError? {
    do {
        try body()
        return nil
    } catch {
        return error as? ImagingError
    }
}
