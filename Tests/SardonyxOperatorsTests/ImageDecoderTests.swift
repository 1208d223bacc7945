import CCodecs
import SardonyxGraph
import SardonyxTestSupport
import Synchronization
import Testing

@testable import SardonyxOperators

/// Against Pillow: Tests/Pictures/pictures.txt holds files and the pixels that Pillow reads in them.
@Suite struct ImageDecoderTests {
    struct Picture: Sendable, CustomTestStringConvertible {
        let name: String
        let format: String
        let width: Int
        let height: Int
        let file: [UInt8]
        let rgb: [UInt8]
        let grey: [UInt8]
        var testDescription: String { name }
        /// Conversions from YCbCr round differently, and so does the transform of JPEG 2000 with loss between releases.
        var isRounded: Bool { name.contains("rounded") || name.contains("lossy") }
    }

    static let pictures: [Picture] = {
        repositoryText("Tests/Pictures/pictures.txt").split(separator: "\n").map { line in
            let cells = line.split(separator: "\t").map(String.init)
            return Picture(
                name: cells[0], format: cells[1], width: Int(cells[2])!, height: Int(cells[3])!, file: bytes(cells[4]),
                rgb: bytes(cells[5]), grey: bytes(cells[6]))
        }
    }()

    /// Counts how often somebody asks whether the run was cancelled, and cancels it at one of them.
    private final class Calls: Sendable {
        let count = Atomic<Int>(0)
        let last: Int
        init(last: Int = .max) { self.last = last }
        func check() throws {
            if count.wrappingAdd(1, ordering: .relaxed).newValue >= last { throw SardonyxError(.cancelled, "stop") }
        }
    }

    /// Refuses what no picture of the tests needs, so that damaged sizes cost nothing.
    private struct SmallEnvironment: EvaluationEnvironment {
        /// What memory holds before it is written.
        let stale: UInt8
        var pool: OpaquePointer? { nil }
        var workers: Int { 1 }
        func run(_ attribute: String, inputs: [Datum]) throws -> [Datum] { [] }
        var calls = Calls()
        func checkCancellation() throws { try calls.check() }
        func admit(_ spec: TensorSpec) throws { try spec.checkPossible("a part", limit: 1 << 22) }
        func allocate(_ dataType: DataType, _ shape: [Int]) throws -> Tensor {
            var tensor = try Tensor(uninitialized: dataType, shape: shape)
            _ = try tensor.withUnsafeMutableBytes { $0.initializeMemory(as: UInt8.self, repeating: stale) }
            return tensor
        }
    }

    private static func decode(
        _ file: [UInt8], _ format: String? = nil, shape: [Int]? = nil, stale: UInt8 = 0x5A, calls: Calls = Calls()
    ) throws -> Tensor {
        let node = Node(
            "ImageDecoder", inputs: [nil], outputs: [nil],
            attributes: format.map { ["pixel_format": .string($0)] } ?? [:])
        let result = try ImageDecoder.evaluate(
            EvaluationContext(
                node: node, inputs: [.tensor(Tensor(shape: shape ?? [file.count], scalars: file))],
                outputTypes: [.unknown], environment: SmallEnvironment(stale: stale, calls: calls),
                operatorType: ImageDecoder.self))
        return try #require(result[0]?.tensor)
    }

    @Test func thereAreManyPictures() {
        #expect(Self.pictures.count == 157)
        #expect(Set(Self.pictures.map(\.format)) == ["BMP", "JPEG", "JPEG 2000", "PNG", "PNM", "TIFF", "WebP"])
    }

    @Test(arguments: pictures)
    func pixelsAreThoseOfPillow(_ picture: Picture) throws {
        let tolerance = picture.isRounded ? 1 : 0
        func compare(_ format: String?, _ expected: [UInt8], _ channels: Int) throws {
            let result = try Self.decode(picture.file, format)
            #expect(result.spec == TensorSpec(dataType: .uint8, shape: [picture.height, picture.width, channels]))
            let wrong = zip(result.scalars(UInt8.self), expected).enumerated().first {
                abs(Int($1.0) - Int($1.1)) > tolerance
            }
            #expect(wrong == nil && expected.count == result.count)
        }
        try compare("RGB", picture.rgb, 3)
        try compare(nil, picture.rgb, 3)
        let pixels = stride(from: 0, to: picture.rgb.count, by: 3)
        try compare("BGR", pixels.flatMap { picture.rgb[$0..<$0 + 3].reversed() }, 3)
        try compare("Grayscale", picture.grey, 1)
        #expect(String(cString: cco_format_name(cco_format(picture.file, picture.file.count))) == picture.format)
    }

    /// An error that names the format, or the whole picture where only what follows it is missing.
    @Test(arguments: pictures)
    func cutAnywhere(_ picture: Picture) throws {
        // The last number of a text may lose digits and stay a number.
        if picture.name.contains("text") { return }
        for cut in Set((0..<50).map { picture.file.count * $0 / 50 } + (1...16).map { picture.file.count - $0 }) {
            do {
                let result = try Self.decode(Array(picture.file[..<max(cut, 0)]))
                let whole = try Self.decode(picture.file).scalars(UInt8.self)
                #expect(result.scalars() == whole, "\(cut) bytes")
            } catch let error as SardonyxError {
                #expect(error.code == .invalidValue || error.code == .memory, "\(cut) bytes: \(error)")
                #expect(error.message.contains(picture.format), "\(cut) bytes: \(error)")
            }
        }
    }

    /// One to three bits flipped, in the first bytes or anywhere: an error, or the same pixels each time,
    /// whatever memory held before.
    @Test(arguments: pictures)
    func damagedAnywhere(_ picture: Picture) throws {
        var state = picture.name.utf8.reduce(1 as UInt64) { $0 &* 31 &+ UInt64($1) }
        func random(_ below: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % below
        }
        for round in 0..<100 {
            var file = picture.file
            for _ in 0...random(3) {
                file[random(round % 2 == 0 ? file.count : min(file.count, 80))] ^= UInt8(1 << random(8))
            }
            let format = ["RGB", "BGR", "Grayscale"][random(3)]
            do {
                let result = try Self.decode(file, format).scalars(UInt8.self)
                #expect(try Self.decode(file, format, stale: 0xC3).scalars() == result)
            } catch let error as SardonyxError {
                #expect([.invalidValue, .memory, .unsupported].contains(error.code), "\(error)")
            }
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let file: [UInt8]
        let code: SardonyxError.Code
        let text: String
    }

    /// A file of the table with some bytes replaced.
    private static func altered(_ name: String, _ changes: (place: Int, values: String)...) -> [UInt8] {
        var file = pictures.first { $0.name == name }?.file ?? []
        for (place, values) in changes {
            file.replaceSubrange(place..<place + bytes(values).count, with: bytes(values))
        }
        return file
    }

    /// One scan of one bit under a frame of that kind (SOF0 …) and size.
    private static func jpeg(_ kind: String, _ size: String) -> [UInt8] {
        bytes(
            "ffd8 ffdb0043 00" + String(repeating: "01", count: 64)
                + "ff\(kind) 0011 08 \(size) 03 011100 021100 031100 ffda 000c 03 0100 0200 0300 003f00 00")
    }

    static let refusals = [
        Refusal(testDescription: "nothing", file: [], code: .invalidValue, text: "the 0 bytes of encoded_stream"),
        Refusal(
            testDescription: "a GIF", file: Array("GIF89a".utf8), code: .invalidValue, text: "'47 49 46 38 39 61'"),
        Refusal(
            testDescription: "a BMP of 2³¹ by 2³¹", file: altered("bmp, rgb", (18, "ffffff7fffffff7f")),
            code: .invalidValue, text: "2147483647 by 2147483647 pixels; at most 1073741824 pixels are decoded"),
        Refusal(
            testDescription: "a BMP of no pixels", file: altered("bmp, rgb", (18, "00000000")),
            code: .invalidValue, text: "0 by 7"),
        Refusal(
            testDescription: "a BMP with the least height", file: altered("bmp, rgb", (22, "00000080")),
            code: .invalidValue, text: "11 by 2147483648"),
        Refusal(
            testDescription: "runs that promise much", file: altered("bmp, runs of 8 bits", (18, "0040000000200000")),
            code: .invalidValue, text: "1110 bytes cannot hold 16384 by 8192 pixels"),
        Refusal(
            testDescription: "runs that promise what any file may",
            file: altered("bmp, runs of 8 bits", (18, "0010000000100000")), code: .memory,
            text: "BMP picture of 4096 by 4096 pixels"),
        Refusal(
            testDescription: "a colour outside the palette", file: altered("bmp, runs of 8 bits", (46, "02000000")),
            code: .invalidValue, text: "has colour 7 of a palette of 2"),
        Refusal(
            testDescription: "a PNM of 2³² columns", file: Array("P5 4294967296 1 255\n0".utf8), code: .invalidValue,
            text: "a number is too large"),
        Refusal(
            testDescription: "a PNM larger than its file", file: Array("P5 32768 32768 255\n0".utf8),
            code: .invalidValue, text: "cut short"),
        Refusal(
            testDescription: "a sample above the greatest", file: Array("P2 1 1 3 4\n".utf8), code: .invalidValue,
            text: "a sample is 4; the greatest is 3"),
        Refusal(
            testDescription: "a JPEG of 65500 by 65500", file: jpeg("c0", "ffdc ffdc"), code: .invalidValue,
            text: "65500 by 65500 pixels; at most 1073741824"),
        Refusal(
            testDescription: "a JPEG of 1024 by 1024 in 105 bytes", file: jpeg("c2", "0400 0400"), code: .invalidValue,
            text: "105 bytes cannot hold 1024 by 1024 pixels"),
        Refusal(
            testDescription: "a JPEG of 1024 by 1024 behind markers without a length",
            file: bytes("ffd8 ff01 ffd0") + jpeg("c2", "0400 0400").dropFirst(2), code: .invalidValue,
            text: "109 bytes cannot hold 1024 by 1024 pixels"),
        Refusal(
            testDescription: "a JPEG of 1024 by 1024 behind bytes that are no marker",
            file: bytes("ffd8 ffd0 0000") + jpeg("c2", "0400 0400").dropFirst(2), code: .invalidValue,
            text: "109 bytes cannot hold 1024 by 1024 pixels"),
        Refusal(
            testDescription: "an arithmetic JPEG of 18000 by 18000", file: jpeg("c9", "4650 4650"), code: .invalidValue,
            text:
                "105 bytes would become 18000 by 18000 pixels; above 268435456 pixels a file is decoded into at most 1032 "
                + "times its size"),
        Refusal(
            testDescription: "an arithmetic JPEG of 16000 by 16000, which may be blank", file: jpeg("c9", "3e80 3e80"),
            code: .memory, text: "JPEG picture of 16000 by 16000 pixels"),
        Refusal(
            testDescription: "a PNG of 2³¹ by 2³¹",
            file: bytes(
                "89504e470d0a1a0a 0000000d49484452 7fffffff7fffffff 0802000000" + "9bab9c31" + "00000000 49444154"),
            code: .invalidValue, text: "PNG"),
        Refusal(
            testDescription: "a TIFF of 2³¹ columns", file: altered("tiff, II, grey of 8 bits", (18, "ffffff7f")),
            code: .invalidValue, text: "2147483647 by 7 pixels; at most"),
        Refusal(
            testDescription: "a TIFF of 1024 columns in 207 bytes",
            file: altered("tiff, II, grey of 8 bits", (18, "00040000")), code: .invalidValue,
            text: "bytes cannot hold 1024 by 7 pixels"),
        Refusal(
            testDescription: "a TIFF of LZMA that promises much",
            file: altered(
                "tiff, II, grey of 8 bits", (18, "00800000"), (30, "00400000"), (54, "6d880000"), (102, "00400000")),
            code: .invalidValue, text: "would become 32768 by 16384 pixels"),
        Refusal(
            testDescription: "a TIFF of LZMA of 16384 by 8192 in one strip, which may be blank",
            file: altered(
                "tiff, II, grey of 8 bits", (18, "00400000"), (30, "00200000"), (54, "6d880000"), (102, "00200000")),
            code: .memory, text: "TIFF picture of 16384 by 8192 pixels"),
        Refusal(
            testDescription: "a TIFF of LZW of 1024 by 1024 in 211 bytes",
            file: altered(
                "tiff, II, grey of 8 bits", (18, "00040000"), (30, "00040000"), (54, "05000000"), (102, "00040000")),
            code: .invalidValue, text: "bytes cannot hold 1024 by 1024 pixels"),
        Refusal(
            testDescription: "a TIFF with a tile of 2 GB",
            file: altered("tiff, one tile", (10 + 12 * 7 + 8, "0080 0000 4301 0300 01000000 0080")),
            code: .invalidValue,
            text: "922 bytes would become a strip or tile of 3221225472; at most 1 for each are decoded"),
        Refusal(
            testDescription: "a TIFF of floating-point numbers",
            file: bytes(
                "49492a00 08000000 0800 0001040001000000 01000000 0101040001000000 01000000 0201030001000000 20000000"
                    + "0301030001000000 01000000 0601030001000000 01000000 1101040001000000 00000000"
                    + "1701040001000000 04000000 5301030001000000 03000000 00000000"),
            code: .unsupported, text: "floating-point numbers"),
        Refusal(
            testDescription: "an animation whose first frame is larger",
            file: altered("webp, the first of an animation, rgba", (24, "000000 000000")), code: .invalidValue,
            text: "WebP"),
        Refusal(
            testDescription: "a WebP of 16384 by 16384, which may be blank",
            file: altered("webp, lossless, rgb", (21, "ffffff0f")), code: .memory,
            text: "WebP picture of 16384 by 16384 pixels"),
        Refusal(
            testDescription: "a JPEG 2000 of 32768 by 16384",
            file: altered("jpeg 2000, bare, rgb", (8, "00008000 00004000 00000000 00000000 00008000 00004000")),
            code: .invalidValue, text: "would become 32768 by 16384 pixels"),
        Refusal(
            testDescription: "a JPEG 2000 of 16384 by 8192, which may be blank",
            file: altered("jpeg 2000, bare, rgb", (8, "00004000 00002000 00000000 00000000 00004000 00002000")),
            code: .memory, text: "JPEG 2000 picture of 16384 by 8192 pixels"),
        Refusal(
            testDescription: "a JPEG 2000 of a tile a pixel",
            file: altered("jpeg 2000, bare, rgb", (8, "00001000 00001000 00000000 00000000 00000001 00000001")),
            code: .invalidValue, text: "bytes cannot hold 16777216 tiles"),
        Refusal(
            testDescription: "a JPEG 2000 of a precinct a pixel",
            file: altered(
                "jpeg 2000, bare, rgb", (8, "00001000 00001000 00000000 00000000 00001000 00001000"),
                (51, "ff52 000d 01 00 0001 00 00 00 00 00 01 00")), code: .invalidValue,
            text: "bytes cannot hold 50331648 packets"),
        Refusal(
            testDescription: "a JPEG 2000 of a precinct a pixel behind a marker without a length",
            file: altered(
                "jpeg 2000, bare, rgb", (8, "00001000 00001000 00000000 00000000 00001000 00001000"),
                (51, "ff30 ff52 000d 01 00 0001 00 00 00 00 00 01 00")), code: .invalidValue,
            text: "bytes cannot hold 50331648 packets"),
        Refusal(
            testDescription: "a JPEG 2000 with an unknown marker", file: altered("jpeg 2000, bare, rgb", (51, "ffa0")),
            code: .invalidValue, text: "has unknown parts"),
        Refusal(
            testDescription: "a JPEG 2000 without a coding style", file: altered("jpeg 2000, bare, rgb", (51, "ff64")),
            code: .invalidValue, text: "its header is cut short or damaged"),
        Refusal(
            testDescription: "a JPEG 2000 whose precincts take more memory than its pixels",
            file: bytes(
                "ff4fff51 0029 0000 0000012c0000012c 0000000000000000 0000012c0000012c 0000000000000000 0001 070101"
                    + "ff52 000d 01 00 0001 00 00 00 00 00 01 00 ff5c 0004 40 40 ff90 000a 0000 00015faa 0001 ff93")
                + [UInt8](repeating: 0, count: 90012) + bytes("ffd9"), code: .memory,
            text: "JPEG 2000 picture of 300 by 300 pixels"),
        Refusal(
            testDescription: "a JPEG 2000 of no width", file: altered("jpeg 2000, bare, rgb", (16, "0000000b")),
            code: .invalidValue, text: "impossible size"),
    ]

    @Test(arguments: refusals)
    func refused(_ test: Refusal) throws {
        let error = try #require(#expect(throws: SardonyxError.self) { try Self.decode(test.file) })
        #expect(error.code == test.code, "\(error)")
        #expect(error.message.contains(test.text), "\(error)")
    }

    /// Cancelled at every question in turn; formats whose library decodes in one call are asked before and after it.
    @Test(arguments: pictures)
    func cancelled(_ picture: Picture) throws {
        let calls = Calls()
        _ = try Self.decode(picture.file, calls: calls)
        let count = calls.count.load(ordering: .relaxed)
        #expect(count >= (["BMP", "PNM", "PNG"].contains(picture.format) ? 2 + picture.height : 3))
        for last in 1...count {
            let error = #expect(throws: SardonyxError.self) {
                try Self.decode(picture.file, calls: Calls(last: last))
            }
            #expect(error?.code == .cancelled, "\(last) of \(count)")
        }
    }

    @Test func attributesAndRanksAreChecked() {
        let picture = Self.pictures[0].file
        #expect(throws: SardonyxError.self) { try Self.decode(picture, "rgb") }
        #expect(throws: SardonyxError.self) { try Self.decode(picture, nil, shape: [1, picture.count]) }
    }

    @Test func aMissingLibraryNamesItsPackage() {
        func open(_ file: String, _ symbol: String) -> (Int32, String) {
            var message = [CChar](repeating: 0, count: Int(CCO_MESSAGE_SIZE))
            var function: UnsafeMutableRawPointer?
            let code = file.withCString { file in
                symbol.withCString { symbol in
                    [Optional(symbol)].withUnsafeBufferPointer { symbols in
                        "libnone1".withCString { package in
                            var library = cco_library(
                                file: file, package: package, symbols: symbols.baseAddress, count: 1)
                            return cco_library_open(&library, &function, &message)
                        }
                    }
                }
            }
            #expect((function != nil) == (code == Int32(CCO_OK)))
            return (code, String(cMessage: message))
        }
        #expect(open("libc.so.6", "malloc").0 == Int32(CCO_OK))
        let missing = open("libnone.so.1", "malloc")
        #expect(missing.0 == Int32(CCO_ERROR_LIBRARY))
        #expect(missing.1 == "libnone.so.1 is not there; install the Debian package libnone1")
        let old = open("libc.so.6", "no_such_function")
        #expect(old.0 == Int32(CCO_ERROR_LIBRARY))
        #expect(old.1 == "libc.so.6 has no function no_such_function; install a newer Debian package libnone1")
    }

    @Test func severalThreadsAtOnce() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for picture in Self.pictures where !picture.isRounded {
                        let pixels = try Self.decode(picture.file).scalars(UInt8.self)
                        #expect(pixels == picture.rgb, "\(picture)")
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
