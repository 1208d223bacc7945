import CCodecs

/// A PNG, JPEG, TIFF, BMP or PNM file, of which pages are decoded as they are asked for.
///
/// Samples keep the file's depth: 8 and 16 bits stay as they are, fewer are stretched to 0 … 255 (also where 0 is
/// white), and a TIFF's signed, wider and floating samples become Float. Palettes are looked up, CMYK becomes RGB,
/// transparency becomes a channel. Pictures are turned as EXIF (JPEG) or the orientation tag (TIFF) says. Colour
/// profiles and gamma are left alone.
public struct PictureFile: Sendable {
    /// What the header of a page says.
    public struct Info: Sendable, Equatable {
        /// "PNG", "JPEG", "TIFF", "BMP", "PNM".
        public let format: String
        /// Pixels from left to right, as the picture is shown.
        public let width: Int
        /// Pixels from top to bottom.
        public let height: Int
        /// As in `Picture`.
        public let channels: Int
        /// The last channel is alpha.
        public let hasAlpha: Bool
        /// How the file holds a sample; fewer than 8 bits and palettes count as `uint8`, 16-bit floats as `float32`.
        public let dataType: VoxelType
        /// Pages in the file, all of them: a reduced copy of another page counts too.
        public let pageCount: Int
        /// Millimetres from column to column (x) and from row to row (y), where the file tells a unit.
        public let spacing: SIMD2<Double>?
    }

    /// As the caller named it.
    public let path: String
    /// The first page.
    public let info: Info
    private let file: FileBytes

    /// Opens a file and reads the header of its first page.
    ///
    /// - Throws: `ImagingError`.
    public init(_ path: String) throws {
        self.path = path
        file = try FileBytes(path)
        info = try file.withBytes { try OpenedPicture(path, $0, $1, page: 0).info }
    }

    /// Where the pages lie as a volume: i to the right, j down, k from page to page; as ITK places pictures, i goes to
    /// the patient's left and j to posterior, from the origin. Steps are 1 mm where the file does not say, and from
    /// page to page.
    public var grid: VoxelGrid {
        let (x, y) = (info.spacing?.x ?? 1, info.spacing?.y ?? 1)
        return VoxelGrid(
            dims: SIMD3(info.width, info.height, info.pageCount),
            affine: Affine(SIMD4(-x, 0, 0, 0), SIMD4(0, -y, 0, 0), SIMD4(0, 0, 1, 0)))
    }

    /// What the header of a page says.
    ///
    /// - Throws: `ImagingError`.
    public func info(page: Int) throws -> Info { try file.withBytes { try open($0, $1, page).info } }

    /// Decodes a page.
    ///
    /// - Throws: `ImagingError`: `.mismatch` where there is no such page, `.corrupt`, `.unsupported`, `.tooLarge`.
    public func picture(page: Int = 0) throws -> Picture { try file.withBytes { try open($0, $1, page).decode() } }

    /// Decodes a page as slice k of the volume that `grid` is: it must have the first page's size and kind.
    ///
    /// - Throws: `ImagingError`, also `.mismatch` where the page differs from the first.
    public func slice(_ k: Int) throws -> Picture {
        try file.withBytes { bytes, count in
            let opened = try open(bytes, count, k)
            let (a, b) = (info, opened.info)
            guard (a.width, a.height, a.channels, a.dataType) == (b.width, b.height, b.channels, b.dataType) else {
                throw ImagingError(
                    .mismatch, path: path, problem: "page \(k) is \(b.summary); page 0 is \(a.summary)",
                    remedy: "choose one page, or make a file of the pages that belong together")
            }
            return try opened.decode()
        }
    }

    /// The volume that the decoded pages are, one behind the other.
    ///
    /// - Throws: `ImagingError` `.tooLarge`: pages may share their bytes, but not make of a short file a long one.
    func layout() throws -> VolumeLayout {
        let space = [info.width, info.height, info.pageCount].map { (size: $0, role: VolumeLayout.Role.space) }
        let type: VoxelType = [.uint8, .uint16].contains(info.dataType) ? info.dataType : .float32
        var layout = try VolumeLayout(path, axes: [(info.channels, .component)] + space, type: type)
        layout.affine = grid.affine
        layout.isColour = info.channels >= 3
        layout.encoding = .picture
        layout.pieces = [VolumeLayout.Piece(path: path)]
        // No coding with a bound has a greater one than LZW.
        guard layout.dataBytes <= max(1 << 30, 2731 * UInt64(file.count)) else {
            throw ImagingError(
                .tooLarge, path: path,
                problem: "\(info.pageCount) pages of \(info.summary) are \(Format.bytes(layout.dataBytes)), more than "
                    + "\(Format.bytes(UInt64(file.count))) can hold",
                remedy: "read its pages one by one")
        }
        return layout
    }

    /// Gives back the memory of what has been read of a long file.
    func release() { file.release() }

    /// Whether a file with these first bytes is one to be opened here.
    static func recognise(_ start: [UInt8]) -> Bool {
        let formats = [CCO_FORMAT_BMP, CCO_FORMAT_PNM, CCO_FORMAT_JPEG, CCO_FORMAT_PNG, CCO_FORMAT_TIFF]
        let format = cco_format(start, start.count)
        return formats.contains { Int32($0) == format }
    }

    private func open(_ bytes: UnsafePointer<UInt8>, _ count: Int, _ page: Int) throws -> OpenedPicture {
        guard page >= 0, page < info.pageCount else {
            throw ImagingError(
                .mismatch, path: path, problem: "page \(page) was asked for; it has \(info.pageCount)",
                remedy: "choose 0 to \(info.pageCount - 1)")
        }
        return try OpenedPicture(path, bytes, count, page: page)
    }
}

extension PictureFile.Info {
    /// "640×480 pixels of 3 uint8".
    public var summary: String { "\(width)×\(height) pixels of \(channels) \(dataType)" }
}

/// A page whose header has been read; valid while the bytes are.
private final class OpenedPicture {
    let info: PictureFile.Info
    private let path: String
    private let picture: OpaquePointer
    private let facts: cco_picture_facts

    init(_ path: String, _ bytes: UnsafePointer<UInt8>, _ count: Int, page: Int) throws {
        self.path = path
        let format = String(cString: cco_format_name(cco_format(bytes, count)))
        var message = Message()
        var opened: OpaquePointer?
        // SAFETY: the bytes outlive this object, and C reads no more than `count` of them.
        let code = cco_picture_open_whole(bytes, count, UInt32(clamping: page), &opened, &message.bytes)
        guard let opened else { throw Self.error(code, path, format, message) }
        picture = opened
        var facts = cco_picture_facts()
        cco_picture_describe(opened, &facts)
        self.facts = facts
        let (x, y) = facts.spacing
        info = PictureFile.Info(
            format: format, width: Int(facts.width), height: Int(facts.height), channels: Int(facts.channels),
            hasAlpha: facts.has_alpha, dataType: Self.dataType(facts), pageCount: Int(facts.pages),
            spacing: x > 0 && y > 0 ? SIMD2(x, y) : nil)
    }

    deinit { cco_picture_close(picture) }

    func decode() throws -> Picture {
        let samples: Picture.Samples =
            switch facts.sample {
            case Int32(CCO_UINT8): .uint8(try decode(UInt8.self))
            case Int32(CCO_UINT16): .uint16(try decode(UInt16.self))
            default: .float(try decode(Float.self))
            }
        return Picture(
            width: info.width, height: info.height, channels: info.channels, samples: samples,
            hasAlpha: info.hasAlpha, spacing: info.spacing)
    }

    private func decode<T: BitwiseCopyable>(_: T.Type) throws -> [T] {
        let count = info.width * info.height * info.channels
        let scratchBytes = cco_picture_scratch_bytes(picture, Int32(CCO_WHOLE))
        let needed = [count * MemoryLayout<T>.size, scratchBytes, cco_picture_library_bytes(picture)]
            .reduce(UInt64(0)) { sum, part in
                let (total, overflow) = sum.addingReportingOverflow(UInt64(part))
                return overflow ? .max : total
            }
        try Memory.check(needed, path, info.summary)
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: max(scratchBytes, 1), alignment: 64)
        defer { scratch.deallocate() }
        var message = Message()
        return try [T](unsafeUninitializedCapacity: count) { buffer, initialized in
            // SAFETY: both have the sizes that the picture told, and C writes all of the samples where it succeeds.
            let code = cco_picture_decode(
                picture, Int32(CCO_WHOLE),
                UnsafeMutableRawPointer(buffer.baseAddress!).assumingMemoryBound(to: UInt8.self),
                scratch.assumingMemoryBound(to: UInt8.self), nil, nil, &message.bytes)
            guard code == Int32(CCO_OK) else { throw Self.error(code, path, info.format, message) }
            initialized = count
        }
    }

    private static func dataType(_ facts: cco_picture_facts) -> VoxelType {
        switch (facts.kind, facts.bits) {
        case (Int32(CCO_FLOATING), 64): .float64
        case (Int32(CCO_FLOATING), _): .float32
        case (Int32(CCO_SIGNED), 8): .int8
        case (Int32(CCO_SIGNED), 16): .int16
        case (Int32(CCO_SIGNED), 32): .int32
        case (Int32(CCO_SIGNED), _): .int64
        case (_, 64): .uint64
        case (_, 32): .uint32
        case (_, 16): .uint16
        default: .uint8
        }
    }

    private static func error(_ code: Int32, _ path: String, _ format: String, _ message: Message) -> ImagingError {
        let text = "the \(format) picture: \(message.text)"
        switch code {
        case Int32(CCO_ERROR_FORMAT):
            return ImagingError(
                .unknownFormat, path: path, problem: "it does not begin as a PNG, JPEG, TIFF, BMP or PNM file",
                remedy: "convert it to one of them")
        case Int32(CCO_ERROR_LIBRARY):
            return ImagingError(.unsupported, path: path, problem: text, remedy: "or convert it to another format")
        case Int32(CCO_ERROR_UNSUPPORTED):
            return ImagingError(
                .unsupported, path: path, problem: text, remedy: "convert it to 8- or 16-bit PNG or TIFF")
        case Int32(CCO_ERROR_LIMIT), Int32(CCO_ERROR_MEMORY):
            return ImagingError(.tooLarge, path: path, problem: text, remedy: "cut it into smaller pictures")
        case Int32(CCO_ERROR_PAGE):
            return ImagingError(.mismatch, path: path, problem: text, remedy: "choose another page")
        default: return ImagingError(.corrupt, path: path, problem: text, remedy: "copy the file again")
        }
    }
}
