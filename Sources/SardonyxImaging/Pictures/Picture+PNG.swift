import CImageFormats

extension Picture {
    /// Writes a PNG of 8 or 16 bits; the bytes go to a temporary name first, so that `path` never holds a part of a
    /// picture. Spacing is kept to a whole number of pixels a metre, unless that would change it by over 0.5 %.
    ///
    /// - Parameters:
    ///   - path: the file; it holds what it held before, or all of the picture.
    ///   - palette: the colours of the samples of a picture of one 8-bit channel, such as the labels of a label map; at
    ///     most 256.
    ///   - opacities: how opaque the first of those colours are, from 0 to 255; the others are wholly.
    /// - Throws: `ImagingError`: `.unsupported` for floating samples and for what PNG cannot say, `.mismatch` where a
    ///   sample has no colour, `.cannotWrite`.
    public func writePNG(to path: String, palette: [RGB]? = nil, opacities: [UInt8] = []) throws {
        func unsupported(_ problem: String, _ remedy: String) -> ImagingError {
            ImagingError(.unsupported, path: path, problem: problem, remedy: remedy)
        }
        if case .float = samples {
            throw unsupported("PNG holds integers of 8 or 16 bits, not Float", "write a TIFF, or scale to integers")
        }
        guard channels % 2 == 1 || hasAlpha else {
            throw unsupported("the last of \(channels) channels is not alpha", "write a TIFF")
        }
        // What libpng reads, which most viewers use, ends there.
        guard max(width, height) <= 1_000_000 else {
            throw unsupported("a picture of \(width)×\(height) pixels; PNG ends at 1,000,000", "make it smaller")
        }
        if let palette { try check(palette, opacities, path) }
        var colours: [UInt8] = []
        for (index, colour) in (palette ?? []).enumerated() {
            let opacity = index < opacities.count ? opacities[index] : 255
            colours += [colour.red, colour.green, colour.blue, opacity]
        }
        try writeThenRename(path) { temporary in
            var message = Message()
            let code = colours.withUnsafeBufferPointer { colours in
                var picture = cif_png(
                    width: UInt32(width), height: UInt32(height), depth: 8, channels: Int32(channels),
                    palette: palette == nil ? nil : colours.baseAddress, palette_count: colours.count / 4,
                    pixels_per_metre: pixelsPerMetre)
                switch samples {
                case .uint8(let values): return cif_png_write(temporary, &picture, values, &message.bytes)
                case .uint16(let values):
                    picture.depth = 16
                    return cif_png_write(temporary, &picture, values, &message.bytes)
                case .float: return Int32(CIF_ERROR_WRITE)
                }
            }
            guard code == CIF_OK else {
                throw ImagingError(
                    .cannotWrite, path: path, problem: "cannot be written (\(message.text))",
                    remedy: "check the folder, your rights and the free space")
            }
        }
    }

    private func check(_ palette: [RGB], _ opacities: [UInt8], _ path: String) throws {
        guard case .uint8(let values) = samples, channels == 1 else {
            throw ImagingError(
                .unsupported, path: path, problem: "a palette is for one channel of 8 bits", remedy: "leave it out")
        }
        let greatest = Int(values.max() ?? 0)
        guard palette.count <= 256, opacities.count <= palette.count, greatest < palette.count else {
            throw ImagingError(
                .mismatch, path: path,
                problem: "samples go to \(greatest), the palette has \(palette.count) colours and \(opacities.count) "
                    + "opacities",
                remedy: "give every sample a colour, 256 at most")
        }
    }

    private var pixelsPerMetre: (UInt32, UInt32) {
        guard let spacing else { return (0, 0) }
        let exact = SIMD2(repeating: 1000) / spacing
        let whole = exact.rounded(.toNearestOrEven)
        // NaN compares false.
        guard whole.min() >= 1, whole.max() < 0x1p31, abs(whole.x - exact.x) <= 0.005 * exact.x,
            abs(whole.y - exact.y) <= 0.005 * exact.y
        else { return (0, 0) }
        return (UInt32(whole.x), UInt32(whole.y))
    }
}
