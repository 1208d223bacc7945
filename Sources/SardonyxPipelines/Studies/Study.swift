/// The images of one examination, by the pipeline's channels.
public struct Study: Sendable, Equatable {
    /// Names its results' folder.
    public var name: String
    /// A path for each channel of the pipeline, in its order; or one alone that holds all channels.
    public var images: [String]
    /// Why its images cannot be told apart, so that it fails; `nil` for a study that can be run.
    public var problem: String?

    /// A study of these images.
    public init(name: String, images: [String], problem: String? = nil) {
        self.name = name
        self.images = images
        self.problem = problem
    }

    /// A file's name without its folder and its suffixes of image formats: "head" of "in/head.nii.gz".
    static func name(of path: String) -> String {
        var name = path.split(separator: "/").last.map(String.init) ?? path
        for suffix in suffixes where name.lowercased().hasSuffix(suffix) && name.count > suffix.count {
            name.removeLast(suffix.count)
            break
        }
        return name
    }

    /// Endings of files that can be studies, the longest first.
    static let suffixes = [
        ".nii.gz", ".hdr.gz", ".nii", ".hdr", ".nrrd", ".nhdr", ".mha", ".mhd", ".png", ".jpeg", ".jpg", ".tiff",
        ".tif",
    ]
}

extension Study {
    /// The studies that a command's words stand for.
    ///
    /// - NAME=FILE for each channel: one study.
    /// - A file: a study, or several with channels that are told by nnU-Net's suffixes (CASE_0000, CASE_0001, …).
    /// - A folder: its images, grouped in the same way, and one study for each of its folders with images: a file for each
    ///   channel, named for it. Folders of results are left out.
    ///
    /// Where a channel's image is missing or is not the only one, the study says so (`problem`).
    ///
    /// - Parameters:
    ///   - words: as typed.
    ///   - channels: the pipeline's.
    /// - Throws: `PipelineFailure` `.badInput` for words that make no studies, and two studies of one name.
    public static func list(_ words: [String], channels: [String]) throws -> [Study] {
        var studies: [Study] = []
        var named: [String: String] = [:]
        var files: [String] = []
        for word in words {
            if let (name, path) = namedImage(word, channels) {
                guard named.updateValue(path, forKey: name) == nil else {
                    throw PipelineFailure(.badInput, "channel '\(name)' was given twice")
                }
            } else if let names = folderNames(word) {
                let paths = names.map { word.hasSuffix("/") ? word + $0 : word + "/" + $0 }
                files += paths.filter { folderNames($0) == nil && isImage($0) }
                for path in paths {
                    guard let inside = folderNames(path), !inside.contains(StudyFolder.provenanceName) else { continue }
                    let images = inside.filter(isImage).map { path + "/" + $0 }
                    if !images.isEmpty { studies.append(byChannelName(path, images, channels)) }
                }
            } else {
                files.append(word)
            }
        }
        if !named.isEmpty {
            if let missing = channels.first(where: { named[$0] == nil }) {
                throw PipelineFailure(.badInput, "channel '\(missing)' is missing: give \(missing)=FILE")
            }
            let images = channels.compactMap { named[$0] }
            studies.append(Study(name: name(of: images[0]), images: images))
        }
        studies += try grouped(files, channels)
        guard !studies.isEmpty else {
            throw PipelineFailure(
                .badInput,
                "no images were found in \(words.joined(separator: ", ")); formats: "
                    + suffixes.joined(separator: " "))
        }
        var seen: [String: String] = [:]
        for study in studies where study.problem == nil {
            if let other = seen.updateValue(study.images[0], forKey: study.name) {
                throw PipelineFailure(
                    .badInput,
                    "\(other) and \(study.images[0]) would both be written to '\(study.name)': give them different names, "
                        + "or run them into different folders")
            }
        }
        return studies
    }

    private static func isImage(_ path: String) -> Bool {
        let name = path.split(separator: "/").last.map { $0.lowercased() } ?? ""
        // An .img goes with its .hdr, a .raw with its header.
        return !name.hasPrefix(".") && suffixes.contains { name.hasSuffix($0) }
    }

    private static func namedImage(_ word: String, _ channels: [String]) -> (String, String)? {
        guard let equals = word.firstIndex(of: "=") else { return nil }
        let name = String(word[..<equals])
        return channels.contains(name) ? (name, String(word[word.index(after: equals)...])) : nil
    }

    /// Files without channel suffixes are studies by themselves; CASE_0000 … CASE_000n are one.
    private static func grouped(_ files: [String], _ channels: [String]) throws -> [Study] {
        guard channels.count > 1 else { return files.map { Study(name: name(of: $0), images: [$0]) } }
        var studies: [Study] = []
        var cases: [String: [Int: String]] = [:]
        var order: [String] = []
        for file in files {
            let stem = name(of: file)
            let digits = stem.suffix(4)
            guard stem.count > 5, stem.dropLast(4).hasSuffix("_"), digits.allSatisfy({ $0.isASCII && $0.isNumber }),
                let channel = Int(digits), channel < channels.count
            else {
                studies.append(Study(name: stem, images: [file]))
                continue
            }
            let key = String(stem.dropLast(5))
            if cases[key] == nil { order.append(key) }
            if let other = cases[key, default: [:]].updateValue(file, forKey: channel) {
                throw PipelineFailure(
                    .badInput,
                    "\(other) and \(file) are both channel '\(channels[channel])' of study '\(key)': run their folders one "
                        + "at a time")
            }
        }
        for key in order {
            guard let images = cases[key] else { continue }
            let folders = Set(
                images.values.map { $0.split(separator: "/", omittingEmptySubsequences: false).dropLast() })
            guard folders.count == 1 else {
                let places = images.values.sorted().joined(separator: ", ")
                throw PipelineFailure(
                    .badInput,
                    "the channels of study '\(key)' lie in different folders (\(places)): "
                        + "give them as NAME=FILE, or run the folders one at a time")
            }
            let missing = channels.indices.first { images[$0] == nil }.map {
                "there is no image \(key)_\(("000" + "\($0)").suffix(4)) for channel '\(channels[$0])': add it"
            }
            studies.append(Study(name: key, images: channels.indices.compactMap { images[$0] }, problem: missing))
        }
        return studies
    }

    /// A folder with one file for each channel: whose name is the channel's, or has it among its words ("T1" of
    /// "p1_t1", not of "p1_t1ce"), or in itself, whatever the case.
    private static func byChannelName(_ folder: String, _ files: [String], _ channels: [String]) -> Study {
        func words(_ name: String) -> String { " " + name.map { $0.isLetter || $0.isNumber ? $0 : " " } + " " }
        let stems = files.map { name(of: $0).lowercased() }
        var study = Study(name: name(of: folder), images: [])
        for channel in channels {
            let word = channel.lowercased()
            let rules: [(String) -> Bool] = [
                { $0 == word }, { words($0).contains(words(word)) }, { $0.contains(word) },
            ]
            let found =
                rules.lazy.map { rule in stems.indices.filter { rule(stems[$0]) }.map { files[$0] } }
                .first { !$0.isEmpty } ?? []
            let taken = found.first { study.images.contains($0) }
            study.images += found
            if found.count != 1 || taken != nil, study.problem == nil {
                study.problem =
                    "\(folder): "
                    + (found.isEmpty
                        ? "none of its images is named for channel '\(channel)'"
                        : found.count > 1
                            ? "\(found.joined(separator: ", ")) could all be channel '\(channel)'"
                            : "\(found[0]) could be channel '\(channel)' and another one")
                    + ": name one file for each channel, or give the folder itself when each image is a study"
            }
        }
        return study
    }
}
