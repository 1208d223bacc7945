@_exported import SardonyxTestSupport
import Testing

@testable import SardonyxImaging

/// Bytes as a compressed file holds them.
func packed(_ bytes: [UInt8], _ form: ByteWriter.Form = .gzip) throws -> [UInt8] {
    let folder = TemporaryFolder()
    let writer = try ByteWriter(folder.path + "/packed", for: "packed")
    try writer.compress(form)
    try bytes.withUnsafeBytes { try writer.write($0) }
    try writer.close()
    return folder.read("packed")
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

/// The file, which must be the same, or the same error, with its voxels in memory and without.
func openedBothWays(_ path: String) throws -> VolumeFile {
    func values(_ file: VolumeFile) throws -> [Float] {
        try file.volume(frame: file.frames - 1, component: file.components - 1).voxels
    }
    let file = Result { try VolumeFile(contentsOf: path) }
    let kept = Result { try VolumeFile(contentsOf: path, memory: 1 << 20) }
    switch (file, kept) {
    case (.success(let file), .success(let kept)):
        #expect(try values(file).elementsEqual(values(kept)) { $0.bitPattern == $1.bitPattern })
    case (.failure(let error), .failure(let other)): #expect("\(error)" == "\(other)")
    default: Issue.record("\(path): \(file), in memory \(kept)")
    }
    return try file.get()
}

func withError(_ body: () throws -> Void) -> ImagingError? {
    do {
        try body()
        return nil
    } catch {
        return error as? ImagingError
    }
}
