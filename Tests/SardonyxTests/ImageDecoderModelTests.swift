import Sardonyx
import SardonyxTestSupport
import Testing

/// Pictures in whole models: errors name the node, and the memory budget holds.
@Suite struct ImageDecoderModelTests {
    private static func session(_ budget: Int? = nil) throws -> Session {
        let bytes = modelBytes(
            TestGraph(
                nodes: [
                    TestNode(
                        "ImageDecoder", ["x"], ["picture"], name: "reader", [("pixel_format", .text("Grayscale"))]),
                    TestNode("Cast", ["picture"], ["y"], [("to", .int(1))]),
                ], inputs: [TestValue("x", ["bytes"], type: 2)], outputs: [TestValue("y", nil)]),
            opsets: [("", 20)])
        var options = Session.Options()
        if let budget { options.memoryBudget = .bytes(budget) }
        return try Session(bytes.withUnsafeBytes { try Model(bytes: $0) }, options: options)
    }

    private static func picture(_ width: Int, _ height: Int) -> Tensor {
        let file = Array("P6 \(width) \(height) 255\n".utf8) + [UInt8](repeating: 9, count: width * height * 3)
        return Tensor(shape: [file.count], scalars: file)
    }

    @Test func picturesOfAnySizeRun() throws {
        let session = try Self.session()
        for (width, height) in [(1, 1), (40, 30), (3, 200)] {
            let y = try #require(try session.run(["x": Self.picture(width, height)])["y"])
            #expect(y.shape == [height, width, 1])
            #expect(y.scalars(Float.self).allSatisfy { $0 == 9 })
        }
    }

    @Test func errorsNameTheNode() throws {
        let session = try Self.session()
        let bytes = Array("P6 40 40 255\nabc".utf8)
        let cut = try #require(
            #expect(throws: SardonyxError.self) {
                try session.run(["x": Tensor(shape: [bytes.count], scalars: bytes)])
            })
        #expect(cut.code == .invalidValue)
        #expect("\(cut)" == "ImageDecoder 'reader': the PNM picture cannot be decoded: it is cut short")
    }

    @Test func theBudgetHolds() throws {
        // The colours need three bytes a pixel before they become grey.
        let error = try #require(
            #expect(throws: SardonyxError.self) { try Self.session(1 << 20).run(["x": Self.picture(640, 480)]) })
        #expect(error.code == .memory && error.node == "reader", "\(error)")
        #expect(error.message.contains("the PNM picture of 640 by 480 pixels"), "\(error)")
        _ = try Self.session(1 << 22).run(["x": Self.picture(640, 480)])
    }
}
