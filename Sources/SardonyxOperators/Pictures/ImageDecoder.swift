import CCodecs
import SardonyxGraph

/// image[h, w, c] = the picture in a BMP, JPEG, JPEG 2000, PNG, PNM, TIFF or WebP file whose bytes are the input.
///
/// Colours come out as Pillow gives them: `pixel_format` RGB or BGR has three channels, Grayscale one, which is
/// 0.299 R + 0.587 G + 0.114 B. Palettes are looked up, CMYK is converted, transparency is dropped, and of several
/// pictures in a file the first is taken. Samples of 16 bits give their upper 8, also those of grey pictures. A TIFF is
/// turned as its orientation tag says; in other formats EXIF does not turn the picture.
///
/// The standard has an empty image for what cannot be decoded. Here it is an error that names the format and the
/// reason, since an empty image would go unnoticed or fail far from its cause.
///
/// Headers are judged before memory is taken: a picture may have at most 2³⁰ pixels, and no more than its coding can make of
/// the file's bytes (deflate 1,032 bytes of one, LZW 2,731, and so on), at any size; with BMP's run lengths above 2²⁴ pixels.
/// Codings that spend next to nothing on blank pictures (CCITT, Zstandard, LZMA, WebP, arithmetic JPEG, JPEG 2000) are
/// decoded up to 2²⁸ pixels however short the file, and above into at most 1,032 bytes for each of its bytes.
///
/// BMP and PNM need nothing. The libraries of the other formats are opened when the first picture comes.
///
/// <https://onnx.ai/onnx/operators/onnx__ImageDecoder.html>
enum ImageDecoder: Operator {
    static let schema = Schema(
        "ImageDecoder", versions: [20],
        inputs: [Parameter("encoded_stream", "T1", [.uint8])],
        outputs: [Parameter("image", "T2", [.uint8])],
        attributes: [AttributeSpec("pixel_format", .string)])

    static let execution = Execution.dynamic

    private enum PixelFormat: String {
        case rgb = "RGB"
        case bgr = "BGR"
        case grayscale = "Grayscale"

        init(_ node: Node) throws(SardonyxError) {
            let name = node.string("pixel_format", default: "RGB")
            guard let format = PixelFormat(rawValue: name) else {
                throw SardonyxError(.invalidModel, "pixel_format is '\(name)'; it must be RGB, BGR or Grayscale")
            }
            self = format
        }

        var channels: Int { self == .grayscale ? 1 : 3 }

        var code: Int32 {
            switch self {
            case .rgb: Int32(CCO_RGB)
            case .bgr: Int32(CCO_BGR)
            case .grayscale: Int32(CCO_GREY)
            }
        }
    }

    static func infer(_ context: inout InferenceContext) throws {
        let format = try PixelFormat(context.node)
        try context.requireRank(0, 1...1, "encoded_stream")
        context.set(0, .uint8, [.unknown, .unknown, .fixed(format.channels)])
    }

    static func evaluate(_ context: EvaluationContext) throws -> [Datum?] {
        let stream = try context.tensor(0)
        guard stream.shape.count == 1 else {
            throw SardonyxError(.invalidInput, "encoded_stream is \(stream.spec.text); it must have one axis")
        }
        let format = try PixelFormat(context.node)
        return try stream.withUnsafeBytes { bytes in
            let picture = try Picture(bytes)
            var image = try picture.allocate([picture.height, picture.width, format.channels], context.environment)
            // Held while the library allocates as much by itself, so that the memory budget knows of it.
            let reserve = try picture.allocate([Int(clamping: picture.libraryByteCount)], context.environment)
            var scratch = try picture.allocate(
                [Int(clamping: picture.scratchByteCount(format.code))], context.environment)
            try context.environment.checkCancellation()
            try withExtendedLifetime(reserve) {
                try image.withUnsafeMutableBytes { pixels in
                    try scratch.withUnsafeMutableBytes {
                        try picture.decode(format.code, into: pixels, scratch: $0, context.environment)
                    }
                }
            }
            return [.tensor(image)]
        }
    }

    /// A picture whose header has been read; valid while its bytes are.
    private final class Picture {
        private let picture: OpaquePointer
        private let format: String

        init(_ bytes: UnsafeRawBufferPointer) throws(SardonyxError) {
            // SAFETY: the bytes outlive the picture, and C reads no more than `count` of them.
            let start = bytes.bindMemory(to: UInt8.self).baseAddress
            format = String(cString: cco_format_name(cco_format(start, bytes.count)))
            var message = [CChar](repeating: 0, count: Int(CCO_MESSAGE_SIZE))
            var opened: OpaquePointer?
            let code = cco_picture_open(start, bytes.count, &opened, &message)
            guard let opened else { throw Self.error(code, format, message, bytes) }
            picture = opened
        }

        deinit { cco_picture_close(picture) }

        var width: Int { Int(cco_picture_width(picture)) }
        var height: Int { Int(cco_picture_height(picture)) }
        var libraryByteCount: Int { Int(clamping: cco_picture_library_bytes(picture)) }
        func scratchByteCount(_ format: Int32) -> Int { Int(clamping: cco_picture_scratch_bytes(picture, format)) }

        /// Memory that a damaged header may have made absurdly large.
        func allocate(_ shape: [Int], _ environment: any EvaluationEnvironment) throws -> Tensor {
            do {
                try environment.admit(TensorSpec(dataType: .uint8, shape: shape))
                return try environment.allocate(.uint8, shape)
            } catch let error as SardonyxError where error.code == .memory {
                throw SardonyxError(.memory, "the \(format) picture of \(width) by \(height) pixels: \(error.message)")
            }
        }

        func decode(
            _ pixelFormat: Int32, into pixels: UnsafeMutableRawBufferPointer, scratch: UnsafeMutableRawBufferPointer,
            _ environment: any EvaluationEnvironment
        ) throws {
            var message = [CChar](repeating: 0, count: Int(CCO_MESSAGE_SIZE))
            let code = withUnsafePointer(to: environment) { environment in
                // SAFETY: both have the sizes that the picture told; tensors are aligned to 64 bytes. The environment
                // outlives the call, which hands it to the function as it is.
                cco_picture_decode(
                    picture, pixelFormat, pixels.bindMemory(to: UInt8.self).baseAddress,
                    scratch.bindMemory(to: UInt8.self).baseAddress,
                    { user in
                        let environment = user?.assumingMemoryBound(to: (any EvaluationEnvironment).self).pointee
                        do { try environment?.checkCancellation() } catch { return true }
                        return false
                    }, UnsafeMutableRawPointer(mutating: environment), &message)
            }
            if code == Int32(CCO_ERROR_CANCELLED) { try environment.checkCancellation() }
            if code != Int32(CCO_OK) { throw Self.error(code, format, message, UnsafeRawBufferPointer(pixels)) }
        }

        private static func error(
            _ code: Int32, _ format: String, _ message: [CChar], _ bytes: UnsafeRawBufferPointer
        ) -> SardonyxError {
            let reason = String(cMessage: message)
            switch Int(code) {
            case Int(CCO_ERROR_FORMAT):
                let digits = Array("0123456789abcdef")
                let start = bytes.prefix(8).map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }
                return SardonyxError(
                    .invalidValue,
                    "the \(bytes.count) bytes of encoded_stream, which begin with '\(start.joined(separator: " "))', "
                        + "are no BMP, JPEG, JPEG 2000, PNG, PNM, TIFF or WebP file")
            case Int(CCO_ERROR_LIBRARY):
                return SardonyxError(.unsupported, "to decode \(format) pictures a library is needed: \(reason)")
            case Int(CCO_ERROR_UNSUPPORTED):
                return SardonyxError(.unsupported, "the \(format) picture is of a kind that is not decoded: \(reason)")
            case Int(CCO_ERROR_MEMORY):
                return SardonyxError(.memory, "the \(format) picture cannot be decoded: \(reason)")
            case Int(CCO_ERROR_CANCELLED):
                return SardonyxError(.cancelled, reason)
            default:
                return SardonyxError(.invalidValue, "the \(format) picture cannot be decoded: \(reason)")
            }
        }
    }

    static let examples = [
        Example(
            "a PPM file, blue first", attributes: ["pixel_format": .string("BGR")],
            inputs: [Tensor(shape: [17], scalars: Array("P6 2 1 255\n".utf8) + [255, 0, 7, 1, 2, 3])],
            outputs: [Tensor(shape: [1, 2, 3], scalars: [7, 0, 255, 3, 2, 1] as [UInt8])]),
        Example(
            "a PBM file of text, where 1 is black", attributes: ["pixel_format": .string("Grayscale")],
            inputs: [Tensor(shape: [15], scalars: Array("P1 3 2 1 00 011".utf8))],
            outputs: [Tensor(shape: [2, 3, 1], scalars: [0, 255, 255, 255, 0, 0] as [UInt8])]),
    ]
}
