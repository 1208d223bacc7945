import SardonyxGraph
import SardonyxLoading
import SardonyxTestSupport
import Testing

/// Messages as onnx 1.23 wrote them, in hexadecimal.
@Suite struct ProtobufFileTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let type: DataType
        let file: String
        let shape: [Int]
        /// The elements' bytes in memory: a byte each for the types narrower than one.
        let memory: String
        /// Whether our writer makes the same message.
        var isWritten = true
        var testDescription: String { "\(type.name) \(file)" }
    }

    static let rows = [
        Row(type: .float, file: "080210014a080000803f000000c0", shape: [2], memory: "0000803f000000c0"),
        Row(type: .uint8, file: "080210024a0201ff", shape: [2], memory: "01ff"),
        Row(type: .bool, file: "080210094a020100", shape: [2], memory: "0100"),
        Row(type: .float16, file: "0801100a4a02003e", shape: [1], memory: "003e"),
        Row(type: .bfloat16, file: "080210104a04c03f00c0", shape: [2], memory: "c03f00c0"),
        Row(type: .float8e4m3fn, file: "080210114a0238fe", shape: [2], memory: "38fe"),
        Row(type: .float8e4m3fnuz, file: "080210124a0240ff", shape: [2], memory: "40ff"),
        Row(type: .float8e5m2, file: "080210134a023cfb", shape: [2], memory: "3cfb"),
        Row(type: .float8e5m2fnuz, file: "080110144a0140", shape: [1], memory: "40"),
        Row(type: .float8e8m0, file: "080210184a027f81", shape: [2], memory: "7f81"),
        Row(type: .uint4, file: "080310154a02210f", shape: [3], memory: "01020f"),
        Row(type: .int4, file: "080310164a02780f", shape: [3], memory: "f807ff"),
        Row(type: .uint2, file: "080510194a02e401", shape: [5], memory: "0001020301"),
        Row(type: .int2, file: "0803101a4a0136", shape: [3], memory: "fe01ff"),
        Row(type: .float4e2m1, file: "080310174a02f105", shape: [3], memory: "010f05"),
        Row(type: .float6e2m3, file: "0803101b4a03c81f00", shape: [3], memory: "083f01"),
        Row(type: .complex64, file: "0801100e4a080000803f00000040", shape: [1], memory: "0000803f00000040"),
        Row(type: .string, file: "080210083201613202c3a9", shape: [2], memory: "6100c3a9"),
        // Elements in the typed fields.
        Row(
            type: .int32, file: "080210062a0b01ffffffffffffffffff01", shape: [2], memory: "01000000ffffffff",
            isWritten: false),
        Row(type: .float16, file: "0802100a2a058078808003", shape: [2], memory: "003c00c0", isWritten: false),
        Row(type: .int4, file: "080310162a02780f", shape: [3], memory: "f807ff", isWritten: false),
        Row(
            type: .uint64, file: "0801100d5a0affffffffffffffffff01", shape: [1], memory: "ffffffffffffffff",
            isWritten: false),
        Row(
            type: .complex64, file: "0801100e22080000803f00000040", shape: [1], memory: "0000803f00000040",
            isWritten: false),
    ]

    @Test(arguments: rows)
    func readsTensors(row: Row) throws {
        let folder = TemporaryFolder()
        let datum = try ProtobufFile.read(folder.write(bytes(row.file), to: "x.pb"))
        guard case .tensor(let tensor) = datum else {
            Issue.record("no tensor")
            return
        }
        #expect(tensor.dataType == row.type)
        #expect(tensor.shape == row.shape)
        #expect(contents(tensor) == bytes(row.memory))
        let written = try ProtobufWriter.bytes(of: datum)
        if row.isWritten { #expect(written == bytes(row.file)) }
        // What we write reads as the same, whatever the form.
        guard case .tensor(let again) = try ProtobufFile.read(folder.write(written, to: "y.pb")) else {
            Issue.record("no tensor")
            return
        }
        #expect(again.dataType == row.type)
        #expect(contents(again) == bytes(row.memory))
    }

    private static let float = ValueType.tensor(.float, nil)
    private static let int64 = ValueType.tensor(.int64, nil)

    /// A value, its type and its message.
    static let values: [(String, ValueType, String, String)] = [
        ("seq", .sequence(float), "10011a0e080210014a080000803f000000401a06080010014a00", "[float[2], float[0]]"),
        ("empty seq", .sequence(float), "1001", "[]"),
        ("optional", .optional(int64), "10011a0e080110074a080300000000000000", "some(int64[1])"),
        ("empty optional", .optional(int64), "1000", "none"),
        (
            "optional seq", .optional(.sequence(int64)), "10032a1210011a0e080110074a080300000000000000",
            "some([int64[1]])"
        ),
        (
            "map", .map(key: .int64, value: float),
            "1007180118052a1a10011a0a080110014a04000040401a0a080110014a0400008040", "{1: float[1], 5: float[1]}"
        ),
    ]

    @Test(arguments: values)
    func readsAndWritesOtherValues(name: String, type: ValueType, file: String, expected: String) throws {
        let folder = TemporaryFolder()
        let datum = try ProtobufFile.read(folder.write(bytes(file), to: "x.pb"), as: type)
        #expect(describe(datum) == expected)
        #expect(try ProtobufWriter.bytes(of: datum) == bytes(file))
    }

    @Test func writesMapsOfTexts() throws {
        let folder = TemporaryFolder()
        let map = Datum.map([(key: .string("a"), value: .tensor(Tensor(1 as Float)))])
        try ProtobufWriter.write(map, name: "m", to: folder.path + "/m.pb")
        let read = try ProtobufFile.read(folder.path + "/m.pb", as: .map(key: .string, value: Self.float))
        #expect(describe(read) == "{a: float[]}")
        #expect(TemporaryFolder.names(in: folder.path) == ["m.pb"])
    }

    /// What is wrong, and the message.
    static let bad: [(String, String)] = [
        ("text", "48656c6c6f20776f726c64"),
        ("a field that ends early", "080210014a080000803f"),
        ("too few bytes", "080310014a080000803f000000c0"),
        ("too many bytes", "080110014a080000803f000000c0"),
        ("a negative extent", "08ffffffffffffffffff0110014a040000803f"),
        ("a product that overflows", "08ffffffffffffffff7f08ffffffffffffffff7f10014a040000803f"),
        ("an extent without data", "0880808080801010 01"),
        ("strings as raw bytes", "080110084a0161"),
        ("floats in the field of int64", "080110013a0101"),
    ]

    @Test(arguments: bad)
    func refuses(what: String, file: String) {
        let folder = TemporaryFolder()
        let path = folder.write(bytes(file), to: "x.pb")
        let error = #expect(throws: SardonyxError.self) { try ProtobufFile.read(path) }
        #expect(error?.code == .malformed)
        #expect(error?.file == path)
    }

    @Test func saysThatAFileIsMissing() {
        let error = #expect(throws: SardonyxError.self) { try ProtobufFile.read("/no/such/file.pb") }
        #expect(error?.code == .file)
    }

    private func describe(_ datum: Datum) -> String {
        switch datum {
        case .tensor(let tensor): "\(tensor.dataType.name)\(tensor.shape)"
        case .sequence(let elements): "[\(elements.map(describe).joined(separator: ", "))]"
        case .optional(let value): value.map { "some(\(describe($0)))" } ?? "none"
        case .map(let entries):
            "{" + entries.map { "\(describe($0.key)): \(describe($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    private func describe(_ key: Datum.MapKey) -> String {
        switch key {
        case .integer(let value): "\(value)"
        case .string(let value): value
        }
    }
}
