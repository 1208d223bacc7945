import SardonyxGraph
import SardonyxLoading
import SardonyxTestSupport
import Testing

/// Headers and data as numpy 2 wrote them.
@Suite struct NumPyFileTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let descriptor: String
        var isFortran = false
        let shape: String
        let data: String
        let expected: Tensor
        /// Whether numpy writes the tensor with this very header.
        var isNative = true
        var version: UInt8 = 1

        var testDescription: String { "\(descriptor) \(shape)\(isFortran ? " Fortran" : "") v\(version)" }
        var file: [UInt8] {
            let order = isFortran ? "True" : "False"
            let header = "{'descr': '\(descriptor)', 'fortran_order': \(order), 'shape': \(shape), }"
            return npyBytes(header, bytes(data), version: version)
        }
    }

    private static let floats = Tensor(shape: [2, 3], scalars: [1, -2, 3, 4.5, 5, 6] as [Float])
    private static let doubles = Tensor(shape: [2, 3], scalars: [1, -2, 3, 4.5, 5, 6] as [Double])

    static let rows = [
        Row(
            descriptor: "<f4", shape: "(2, 3)", data: "0000803f000000c000004040000090400000a0400000c040",
            expected: floats),
        Row(
            descriptor: "<f4", isFortran: true, shape: "(2, 3)",
            data: "0000803f00009040000000c00000a040000040400000c040", expected: floats, isNative: false),
        Row(
            descriptor: ">f4", shape: "(2, 3)", data: "3f800000c0000000404000004090000040a0000040c00000",
            expected: floats, isNative: false),
        Row(
            descriptor: ">f8", isFortran: true, shape: "(2, 3)",
            data:
                "3ff0000000000000 4012000000000000 c000000000000000 4014000000000000 4008000000000000 4018000000000000",
            expected: doubles, isNative: false),
        Row(
            descriptor: "<f2", shape: "(2, 3)", data: "003c00c00042804400450046",
            expected: Tensor(shape: [2, 3], scalars: [1, -2, 3, 4.5, 5, 6] as [Float16])),
        Row(
            descriptor: "|b1", shape: "(3,)", data: "010001",
            expected: Tensor(shape: [3], scalars: [true, false, true])),
        Row(descriptor: "<i8", shape: "()", data: "0700000000000000", expected: Tensor(7 as Int64)),
        Row(
            descriptor: "<c8", shape: "(1,)", data: "0000803f00000040",
            expected: complex(.complex64, "0000803f00000040")),
        Row(
            descriptor: ">c16", shape: "(1,)", data: "3ff0000000000000c000000000000000",
            expected: complex(.complex128, "000000000000f03f00000000000000c0"), isNative: false),
        Row(
            descriptor: ">u2", shape: "(2,)", data: "0001ffff",
            expected: Tensor(shape: [2], scalars: [1, 65535] as [UInt16]), isNative: false),
        Row(descriptor: "|i1", shape: "(2,)", data: "ff02", expected: Tensor(shape: [2], scalars: [-1, 2] as [Int8])),
        Row(descriptor: "<f4", shape: "(0, 3)", data: "", expected: Tensor(shape: [0, 3], scalars: [] as [Float])),
        Row(
            descriptor: "<i4", shape: "(2,)", data: "0100000002000000",
            expected: Tensor(shape: [2], scalars: [1, 2] as [Int32]), isNative: false, version: 2),
        Row(
            descriptor: "<i4", shape: "(2,)", data: "0100000002000000",
            expected: Tensor(shape: [2], scalars: [1, 2] as [Int32]), isNative: false, version: 3),
        Row(
            descriptor: "|u1", isFortran: true, shape: "(2, 2, 2)", data: "0004020601050307",
            expected: Tensor(shape: [2, 2, 2], scalars: [0, 1, 2, 3, 4, 5, 6, 7] as [UInt8]), isNative: false),
        // Python 2's long integers.
        Row(
            descriptor: "<u4", shape: "(2L,)", data: "0100000002000000",
            expected: Tensor(shape: [2], scalars: [1, 2] as [UInt32]), isNative: false),
    ]

    private static func complex(_ type: DataType, _ data: String) -> Tensor {
        guard var tensor = try? Tensor(dataType: type, shape: [1]) else { preconditionFailure("no memory") }
        try? tensor.withUnsafeMutableBytes { $0.copyBytes(from: bytes(data)) }
        return tensor
    }

    @Test(arguments: rows)
    func reads(row: Row) throws {
        let folder = TemporaryFolder()
        let tensor = try NumPyFile.read(folder.write(row.file, to: "x.npy"))
        #expect(tensor.dataType == row.expected.dataType)
        #expect(tensor.shape == row.expected.shape)
        #expect(contents(tensor) == contents(row.expected))
    }

    @Test(arguments: rows.filter(\.isNative))
    func writesAsNumPyDoes(row: Row) throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/y.npy"
        try NumPyFile.write(row.expected, to: path)
        #expect(fileBytes(path) == row.file)
        #expect(TemporaryFolder.names(in: folder.path) == ["y.npy"])
    }

    @Test func writesNoTypeThatNumPyLacks() {
        let folder = TemporaryFolder()
        for tensor in [Tensor(BFloat16(1)), Tensor(shape: [1], strings: ["a"])] {
            let error = #expect(throws: SardonyxError.self) { try NumPyFile.write(tensor, to: folder.path + "/y.npy") }
            #expect(error?.code == .unsupported)
            #expect(error?.file == folder.path + "/y.npy")
        }
        #expect(TemporaryFolder.names(in: folder.path).isEmpty)
    }

    @Test func leavesTheOldFileWhenItCannotWrite() throws {
        let folder = TemporaryFolder()
        let tensor = Tensor(1 as Float)
        let error = #expect(throws: SardonyxError.self) {
            try NumPyFile.write(tensor, to: folder.path + "/missing/y.npy")
        }
        #expect(error?.code == .file)
        folder.write([1], to: "taken/inside")
        #expect(throws: SardonyxError.self) { try NumPyFile.write(tensor, to: folder.path + "/taken") }
        #expect(TemporaryFolder.names(in: folder.path) == ["taken"])
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let what: String
        let file: [UInt8]
        var code = SardonyxError.Code.malformed
        var testDescription: String { what }

        init(_ what: String, _ file: [UInt8], _ code: SardonyxError.Code = .malformed) {
            self.what = what
            self.file = file
            self.code = code
        }

        /// A file whose header differs from a right one in a part.
        init(
            _ what: String, descriptor: String = "'<f4'", order: String = "False", shape: String = "(1,)",
            rest: String = "", data: Int = 4, _ code: SardonyxError.Code = .malformed
        ) {
            let header = "{'descr': \(descriptor), 'fortran_order': \(order), 'shape': \(shape), \(rest)}"
            self.init(what, npyBytes(header, [UInt8](repeating: 0, count: data)), code)
        }
    }

    private static let right = npyBytes(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", bytes("0000803f00000040"))

    static let bad = [
        Bad("empty", []),
        Bad("another magic", [0x94] + right.dropFirst()),
        Bad("version 4", Array(right[..<6]) + [4] + right[7...], .unsupported),
        Bad("header longer than the file", Array(right[..<8]) + [0xFF, 0x7F] + right[10...]),
        Bad("header of 4 GB", [0x93] + Array("NUMPY".utf8) + [2, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x7B]),
        Bad("no dictionary", npyBytes("[1, 2]", [])),
        Bad("an open dictionary", npyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (2,", [])),
        Bad("lists without end", npyBytes(String(repeating: "(", count: 5000), [])),
        Bad("no bytes of a header", npyBytes("", [], padded: false)),
        Bad("short data", data: 3),
        Bad("long data", data: 5),
        Bad("an extra entry", rest: "'more': 1, "),
        Bad("a doubled entry", rest: "'shape': (1,), "),
        Bad("a negative extent", shape: "(-1,)"),
        Bad("an extent beyond Int", shape: "(99999999999999999999,)"),
        Bad("a product beyond Int", shape: "(4294967296, 4294967296, 4)"),
        Bad("a size beyond memory", shape: "(1152921504606846976,)"),
        Bad("65 axes", shape: "(" + String(repeating: "1, ", count: 65) + ")"),
        Bad("a text as extent", shape: "('a',)"),
        Bad("a number as shape", shape: "1"),
        Bad("an order that is no truth value", order: "0"),
        Bad("no byte order", descriptor: "'|f4'"),
        Bad("pickled objects", descriptor: "'|O'", .unsupported),
        Bad("texts", descriptor: "'<U5'", .unsupported),
        Bad("long doubles", descriptor: "'<f16'", .unsupported),
        Bad("dates", descriptor: "'<M8[ns]'", .unsupported),
        Bad("raw bytes, as ml_dtypes' bfloat16 becomes", descriptor: "'|V2'", .unsupported),
        Bad("records", descriptor: "[('a', '<f4'), ('b', '<f4')]", .unsupported),
    ]

    @Test(arguments: bad)
    func refuses(row: Bad) {
        let folder = TemporaryFolder()
        let path = folder.write(row.file, to: "x.npy")
        let error = #expect(throws: SardonyxError.self) { try NumPyFile.read(path) }
        #expect(error?.code == row.code)
        #expect(error?.file == path)
    }

    @Test func refusesEveryTruncation() {
        let folder = TemporaryFolder()
        for count in 0..<Self.right.count {
            let path = folder.write(Array(Self.right[..<count]), to: "x.npy")
            let error = #expect(throws: SardonyxError.self) { try NumPyFile.read(path) }
            #expect(error?.code == .malformed)
        }
    }

    @Test func saysThatAFileIsMissing() {
        for path in ["/no/such/file.npy", "/"] {
            let error = #expect(throws: SardonyxError.self) { try NumPyFile.read(path) }
            #expect(error?.code == .file)
        }
    }
}

/// A tensor's bytes, or its strings' bytes one after the other.
func contents(_ tensor: Tensor) -> [UInt8] {
    tensor.dataType == .string
        ? Array(tensor.strings.joined(separator: "\0").utf8) : tensor.withUnsafeBytes { Array($0) }
}
