#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The kinds of volume file.
public enum VolumeFormat: String, Sendable, CaseIterable {
    /// NIfTI-1 and -2: .nii, .nii.gz, and pairs of .hdr and .img.
    case nifti = "NIfTI"
    /// NRRD: .nrrd, and .nhdr beside its data.
    case nrrd = "NRRD"
    /// MetaImage: .mha, and .mhd beside its data.
    case metaImage = "MetaImage"
    /// PNG, JPEG, TIFF, BMP and PNM, as `PictureFile` reads them; not written as volumes.
    case picture = "picture"

    /// The endings that files of this kind are written with.
    public var writtenEndings: [String] {
        switch self {
        case .nifti: return [".nii", ".nii.gz"]
        case .nrrd: return [".nrrd"]
        case .metaImage: return [".mha"]
        case .picture: return []
        }
    }

    /// What a file to be written at `path` is to be, by its ending; `nil` for other endings.
    public init?(writing path: String) {
        let format = VolumeFormat.allCases.first { $0.writtenEndings.contains { path.hasSuffix($0) } }
        guard let format else { return nil }
        self = format
    }

    /// Tells by the file's first bytes, else by its name.
    ///
    /// - Throws: `ImagingError`: `.cannotOpen`, `.unknownFormat`, `.truncated` for an empty file.
    public init(contentsOf path: String) throws {
        let endings: [(String, VolumeFormat)] = [
            (".nii", .nifti), (".nii.gz", .nifti), (".hdr", .nifti), (".img", .nifti), (".hdr.gz", .nifti),
            (".img.gz", .nifti), (".nrrd", .nrrd), (".nhdr", .nrrd), (".mha", .metaImage), (".mhd", .metaImage),
        ]
        let named = endings.first { path.hasSuffix($0.0) }?.1
        let reader = try ByteReader(path)
        var start = [UInt8](repeating: 0, count: 132)
        let got = try start.withUnsafeMutableBytes { try reader.read(into: $0) }
        start.removeLast(start.count - got)
        if NIfTIHeader.recognise(start) != nil {
            self = .nifti
        } else if !reader.isCompressed, start.starts(with: Array("NRRD".utf8)) {
            self = .nrrd
        } else if !reader.isCompressed, MetaImageHeader.recognise(start) {
            self = .metaImage
        } else if !reader.isCompressed, PictureFile.recognise(start) {
            self = .picture
        } else if let named {
            self = named
        } else if got == 0 {
            throw ImagingError(.truncated, path: path, problem: "the file is empty", remedy: "copy it again")
        } else {
            let kind = VolumeFormat.otherKinds.first { start.dropFirst($0.place).starts(with: $0.mark) }?.name
            throw ImagingError(
                .unknownFormat, path: path,
                problem: (kind.map { "it is \($0)" } ?? "its kind is not known")
                    + ", expected NIfTI, NRRD, MetaImage, PNG, JPEG or TIFF",
                remedy: "convert it to NIfTI")
        }
    }

    private static let otherKinds: [(name: String, place: Int, mark: [UInt8])] = [
        ("DICOM", 128, Array("DICM".utf8)), ("a ZIP archive", 0, Array("PK".utf8)),
    ]
}

/// What this machine can hold.
enum Memory {
    /// Refuses what is larger than the machine's memory before it is allocated.
    static func check(_ bytes: UInt64, _ path: String, _ what: String) throws {
        let memory = UInt64(max(0, sysconf(Int32(_SC_PHYS_PAGES)))) * UInt64(max(0, sysconf(Int32(_SC_PAGESIZE))))
        guard memory == 0 || bytes <= memory else {
            throw ImagingError(
                .tooLarge, path: path,
                problem: "\(what) needs \(Format.bytes(bytes)); this machine has \(Format.bytes(memory))",
                remedy: "cut it into smaller volumes")
        }
    }
}
