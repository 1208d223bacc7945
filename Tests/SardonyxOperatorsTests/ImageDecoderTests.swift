import CCodecs
import SardonyxGraph
import SardonyxTestSupport
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
        let tests = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
        let text = String(decoding: fileBytes("\(tests)/Pictures/pictures.txt"), as: UTF8.self)
        return text.split(separator: "\n").map { line in
            let cells = line.split(separator: "\t").map(String.init)
            return Picture(
                name: cells[0], format: cells[1], width: Int(cells[2])!, height: Int(cells[3])!, file: bytes(cells[4]),
                rgb: bytes(cells[5]), grey: bytes(cells[6]))
        }
    }()

    /// Refuses what no picture of the tests needs, so that damaged sizes cost nothing.
    private struct SmallEnvironment: EvaluationEnvironment {
        /// What memory holds before it is written.
        let stale: UInt8
        var pool: OpaquePointer? { nil }
        var workers: Int { 1 }
        func run(_ attribute: String, inputs: [Datum]) throws -> [Datum] { [] }
        func checkCancellation() throws {}
        func admit(_ spec: TensorSpec) throws { try spec.checkPossible("a part", limit: 1 << 22) }
        func allocate(_ dataType: DataType, _ shape: [Int]) throws -> Tensor {
            var tensor = try Tensor(uninitialized: dataType, shape: shape)
            _ = try tensor.withUnsafeMutableBytes { $0.initializeMemory(as: UInt8.self, repeating: stale) }
            return tensor
        }
    }

    private static func decode(
        _ file: [UInt8], _ format: String? = nil, shape: [Int]? = nil, stale: UInt8 = 0x5A
    ) throws -> Tensor {
        let node = Node(
            "ImageDecoder", inputs: [nil], outputs: [nil],
            attributes: format.map { ["pixel_format": .string($0)] } ?? [:])
        let result = try ImageDecoder.evaluate(
            EvaluationContext(
                node: node, inputs: [.tensor(Tensor(shape: shape ?? [file.count], scalars: file))],
                outputTypes: [.unknown], environment: SmallEnvironment(stale: stale), operatorType: ImageDecoder.self))
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

    /// A file of the table with some bytes replaced, or cut.
    private static func altered(_ name: String, _ place: Int, _ values: String) -> [UInt8] {
        var file = pictures.first { $0.name == name }?.file ?? []
        file.replaceSubrange(place..<place + bytes(values).count, with: bytes(values))
        return file
    }

    static let refusals = [
        Refusal(testDescription: "nothing", file: [], code: .invalidValue, text: "the 0 bytes of encoded_stream"),
        Refusal(
            testDescription: "a GIF", file: Array("GIF89a".utf8), code: .invalidValue, text: "'47 49 46 38 39 61'"),
        Refusal(
            testDescription: "a BMP of 2³¹ by 2³¹", file: altered("bmp, rgb", 18, "ffffff7fffffff7f"),
            code: .invalidValue, text: "2147483647 by 2147483647"),
        Refusal(
            testDescription: "a BMP of no pixels", file: altered("bmp, rgb", 18, "00000000"), code: .invalidValue,
            text: "0 by 7"),
        Refusal(
            testDescription: "a BMP with the least height", file: altered("bmp, rgb", 22, "00000080"),
            code: .invalidValue, text: "11 by 2147483648"),
        Refusal(
            testDescription: "runs that promise much", file: altered("bmp, runs of 8 bits", 18, "ffff0000ffff0000"),
            code: .memory, text: "BMP picture of 65535 by 65535 pixels"),
        Refusal(
            testDescription: "a colour outside the palette", file: altered("bmp, runs of 8 bits", 46, "02000000"),
            code: .invalidValue, text: "has colour 7 of a palette of 2"),
        Refusal(
            testDescription: "a PNM of 2³² columns", file: Array("P5 4294967296 1 255\n0".utf8), code: .invalidValue,
            text: "a number is too large"),
        Refusal(
            testDescription: "a PNM larger than its file", file: Array("P5 65536 65536 255\n0".utf8),
            code: .invalidValue, text: "cut short"),
        Refusal(
            testDescription: "a sample above the greatest", file: Array("P2 1 1 3 4\n".utf8), code: .invalidValue,
            text: "a sample is 4; the greatest is 3"),
        Refusal(
            testDescription: "a JPEG of 65500 by 65500",
            file: bytes(
                "ffd8 ffdb0043 00" + String(repeating: "01", count: 64)
                    + "ffc0 0011 08 ffdc ffdc 03 011100 021100 031100 ffda 000c 03 0100 0200 0300 003f00 00"),
            code: .memory, text: "JPEG picture of 65500 by 65500 pixels"),
        Refusal(
            testDescription: "a PNG of 2³¹ by 2³¹",
            file: bytes(
                "89504e470d0a1a0a 0000000d49484452 7fffffff7fffffff 0802000000" + "9bab9c31" + "00000000 49444154"),
            code: .invalidValue, text: "PNG"),
        Refusal(
            testDescription: "a TIFF of 2³¹ columns", file: altered("tiff, II, grey of 8 bits", 18, "ffffff7f"),
            code: .memory, text: "TIFF picture of 2147483647 by 7 pixels"),
        Refusal(
            testDescription: "a TIFF with a tile of 2 GB",
            file: altered("tiff, one tile", 10 + 12 * 7 + 8, "0080 0000 4301 0300 01000000 0080"), code: .memory,
            text: "TIFF picture of 11 by 7 pixels"),
        Refusal(
            testDescription: "a TIFF of floating-point numbers",
            file: bytes(
                "49492a00 08000000 0800 0001040001000000 01000000 0101040001000000 01000000 0201030001000000 20000000"
                    + "0301030001000000 01000000 0601030001000000 01000000 1101040001000000 00000000"
                    + "1701040001000000 04000000 5301030001000000 03000000 00000000"),
            code: .unsupported, text: "floating-point numbers"),
        Refusal(
            testDescription: "an animation whose first frame is larger",
            file: altered("webp, the first of an animation, rgba", 24, "000000 000000"), code: .invalidValue,
            text: "WebP"),
    ]

    @Test(arguments: refusals)
    func refused(_ test: Refusal) throws {
        let error = try #require(#expect(throws: SardonyxError.self) { try Self.decode(test.file) })
        #expect(error.code == test.code, "\(error)")
        #expect(error.message.contains(test.text), "\(error)")
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
