import Sardonyx
import Testing

@testable import SardonyxCLI

@Suite struct ComparisonTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let actual: Datum
        let expected: Datum
        /// A part of the message, or nil where they are alike.
        let message: String?
        var testDescription: String { name }

        init(_ name: String, _ actual: Datum, _ expected: Datum, _ message: String? = nil) {
            self.name = name
            self.actual = actual
            self.expected = expected
            self.message = message
        }

        init(_ name: String, _ actual: Tensor, _ expected: Tensor, _ message: String? = nil) {
            self.init(name, .tensor(actual), .tensor(expected), message)
        }
    }

    private static func floats(_ values: Float...) -> Tensor { Tensor(shape: [values.count], scalars: values) }
    private static func doubles(_ values: Double...) -> Tensor { Tensor(shape: [values.count], scalars: values) }
    private static func integers(_ values: Int64...) -> Tensor { Tensor(shape: [values.count], scalars: values) }
    private static func small(_ type: DataType, _ values: UInt8...) -> Tensor {
        guard var tensor = try? Tensor(dataType: type, shape: [values.count]) else { preconditionFailure("no memory") }
        try? tensor.withUnsafeMutableBytes { $0.copyBytes(from: values) }
        return tensor
    }
    private static func complex(_ real: Double, _ imaginary: Double) -> Tensor {
        guard var tensor = try? Tensor(dataType: .complex128, shape: [1]) else { preconditionFailure("no memory") }
        try? tensor.withUnsafeMutableBytes {
            $0.storeBytes(of: real, as: Double.self)
            $0.storeBytes(of: imaginary, toByteOffset: 8, as: Double.self)
        }
        return tensor
    }

    /// With rtol 1e-3 and atol 1e-7.
    static let rows = [
        Row("the same", floats(1, 2), floats(1, 2)),
        Row("just inside rtol", doubles(1000.999), doubles(1000)),
        Row("just outside rtol", doubles(1001.001), doubles(1000), "1 of 1 values differ; the worst is [0]: 1001.001"),
        Row("relative to the expected value", doubles(1000), doubles(1001.0005)),
        Row("inside atol", doubles(0.9e-7), doubles(0)),
        Row("outside atol", doubles(1.1e-7), doubles(0), "expected 0"),
        Row("NaN for NaN", floats(.nan, 1), floats(.nan, 1)),
        Row("NaN for a number", floats(.nan), floats(1), "1 of 1"),
        Row("a number for NaN", floats(1), floats(.nan), "1 of 1"),
        Row("infinity for infinity", floats(.infinity, -.infinity), floats(.infinity, -.infinity)),
        Row("infinity of the other sign", floats(-.infinity), floats(.infinity), "1 of 1"),
        Row("infinity for a number", floats(.infinity), floats(3e38), "1 of 1"),
        Row("a number for infinity", floats(3e38), floats(.infinity), "1 of 1"),
        Row("zeros of both signs", floats(-0.0), floats(0)),
        Row("another type", doubles(1), floats(1), "has the type double; float was expected"),
        Row(
            "another shape", floats(1, 2).reshaped(to: [1, 2]), floats(1, 2), "has the shape [1, 2]; [2] was expected"),
        Row("another rank of one element", floats(1), Tensor(1 as Float), "has the shape [1]; [] was expected"),
        Row("nothing", Tensor(shape: [0, 2], scalars: [] as [Float]), Tensor(shape: [0, 2], scalars: [] as [Float])),
        Row("large integers", integers(.max, .min), integers(.max, .min)),
        Row("the farthest integers", integers(.min), integers(.max), "1 of 1"),
        Row(
            "bools", Tensor(shape: [2], scalars: [true, false]), Tensor(shape: [2], scalars: [true, true]),
            "[1]: 0, expected 1"),
        Row("half", Tensor(1 as Float16), Tensor(1.1 as Float16), "1 of 1"),
        Row("bfloat16", Tensor(BFloat16(1)), Tensor(BFloat16(1.5)), "1, expected 1.5"),
        Row("float8e4m3fn", small(.float8e4m3fn, 0x38, 0x7F, 0xFE), small(.float8e4m3fn, 0x38, 0xFF, 0xFE)),
        Row("float8e4m3fn apart", small(.float8e4m3fn, 0x38), small(.float8e4m3fn, 0x40), "1, expected 2"),
        Row("float8e5m2 infinity", small(.float8e5m2, 0x7C), small(.float8e5m2, 0xFC), "1 of 1"),
        Row("float8e8m0", small(.float8e8m0, 127), small(.float8e8m0, 128), "1, expected 2"),
        Row("float4", small(.float4e2m1, 0x0F), small(.float4e2m1, 0x07), "-6, expected 6"),
        Row("float6e2m3", small(.float6e2m3, 0x3F), small(.float6e2m3, 0x08), "-7.5, expected 1"),
        Row("float6e3m2", small(.float6e3m2, 0x3F), small(.float6e3m2, 0x0C), "-28, expected 1"),
        Row("int4", small(.int4, 0xF8), small(.int4, 7), "-8, expected 7"),
        Row("complex inside", complex(3, 4), complex(3.003, 4.003)),
        Row("complex outside", complex(3, 4), complex(3, 4.01), "(3, 4), expected (3, 4.01)"),
        Row(
            "texts", Tensor(shape: [2], strings: ["a", "b"]), Tensor(shape: [2], strings: ["a", "c"]), "[1] is \"b\""),
        Row("the same texts", Tensor(shape: [1], strings: ["é"]), Tensor(shape: [1], strings: ["é"])),
        Row("sequences", .sequence([.tensor(floats(1))]), .sequence([.tensor(floats(1))])),
        Row("a longer sequence", .sequence([.tensor(floats(1))]), .sequence([]), "has 1 elements; 0 were expected"),
        Row("inside a sequence", .sequence([.tensor(floats(1))]), .sequence([.tensor(floats(2))]), "y[0]: 1 of 1"),
        Row("empty optionals", .optional(nil), .optional(nil)),
        Row("an optional's value", .tensor(floats(1)), .optional(.tensor(floats(1)))),
        Row(
            "an optional that should be empty", .optional(.tensor(floats(1))), .optional(nil),
            "an empty optional was expected"),
        Row("an optional that should not be empty", .optional(nil), .tensor(floats(1)), "a value was expected"),
        Row("a sequence for a tensor", .sequence([]), .tensor(floats(1)), "is a sequence; a tensor was expected"),
        Row(
            "maps in another order",
            .map([(key: .integer(1), value: .tensor(floats(1))), (key: .integer(2), value: .tensor(floats(2)))]),
            .map([(key: .integer(2), value: .tensor(floats(2))), (key: .integer(1), value: .tensor(floats(1)))])),
        Row(
            "maps with other keys", .map([(key: .string("a"), value: .tensor(floats(1)))]),
            .map([(key: .string("b"), value: .tensor(floats(1)))]), "keys"),
    ]

    @Test(arguments: rows)
    func compares(row: Row) {
        var comparison = Comparison(Tolerance())
        let message = comparison.difference(row.actual, row.expected, "y")
        if let part = row.message {
            #expect(message?.contains(part) == true, "\(message ?? "alike")")
        } else {
            #expect(message == nil)
        }
    }

    @Test func tellsNeighboursOf64BitsApart() {
        var exact = Tolerance()
        exact.relative = 0
        exact.absolute = 0
        for (a, b) in [(Int64.max, Int64.max - 1), (1 << 60, 1 << 60 + 1)] {
            var comparison = Comparison(exact)
            #expect(comparison.difference(.tensor(Tensor(a)), .tensor(Tensor(b)), "y") != nil)
        }
        var comparison = Comparison(exact)
        #expect(comparison.difference(.tensor(Tensor(UInt64.max)), .tensor(Tensor(UInt64.max - 1)), "y") != nil)
    }

    @Test func keepsTheLargestError() {
        var comparison = Comparison(Tolerance())
        _ = comparison.difference(.tensor(Self.doubles(1, 2.5, .infinity)), .tensor(Self.doubles(1, 2, 1)), "y")
        #expect(comparison.maximumError == 0.5)
    }
}
