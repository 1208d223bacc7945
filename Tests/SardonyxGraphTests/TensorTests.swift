import SardonyxGraph
import Testing

@Suite struct TensorTests {
    @Test func aCopyKeepsItsElements() throws {
        let original = Tensor(shape: [2, 2], scalars: [1, 2, 3, 4] as [Float])
        var copy = original
        try copy.withUnsafeMutableBytes { $0.storeBytes(of: Float(9), as: Float.self) }
        #expect(original.scalars() == [1, 2, 3, 4] as [Float])
        #expect(copy.scalars() == [9, 2, 3, 4] as [Float])
    }

    @Test func unalignedBytesAreReadWhole() throws {
        let owner = TensorBox()
        let tensor = Tensor(
            dataType: .int32, shape: [3],
            storage: TensorStorage(
                borrowing: UnsafeRawBufferPointer(UnsafeMutableRawBufferPointer(rebasing: owner.bytes[1..<13])),
                owner: owner))
        #expect(tensor.scalars() == [0x0403_0201, 0x0807_0605, 0x0C0B_0A09] as [Int32])
        #expect(try tensor.withUnsafeBytes(of: Int32.self) { $0[2] } == 0x0C0B_0A09)
    }

    @Test(arguments: [[-1], [.max, .max], [1 << 62, 8]] as [[Int]])
    func impossibleShapesAreRefused(shape: [Int]) {
        #expect(throws: SardonyxError.self) { try Tensor(dataType: .float, shape: shape) }
    }

    /// Rounding to nearest, ties to even, as IEEE 754 asks.
    @Test(
        arguments: [
            (1.0, 0x3F80), (1.00390625, 0x3F80), (1.01171875, 0x3F82), (Float.infinity, 0x7F80), (-0.0, 0x8000),
            (3.3895314e38, 0x7F7F), (3.4e38, 0x7F80),
        ] as [(Float, UInt16)])
    func bfloat16(value: Float, pattern: UInt16) {
        #expect(BFloat16(value).bitPattern == pattern)
        #expect(BFloat16(Float.nan).floatValue.isNaN)
    }
}

private final class TensorBox {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 16)
    init() { for index in bytes.indices { bytes[index] = UInt8(index) } }
    deinit { bytes.deallocate() }
}
