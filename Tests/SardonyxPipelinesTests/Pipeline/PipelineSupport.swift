import SardonyxTestSupport

@testable import SardonyxPipelines

/// A file of this repository.
func repositoryFile(_ name: String) -> String {
    let parts = #filePath.split(separator: "/").dropLast(4)
    return "/" + parts.joined(separator: "/") + "/" + name
}

func repositoryText(_ name: String) -> String { String(decoding: fileBytes(repositoryFile(name)), as: UTF8.self) }

/// The shortest pipeline that can be run; tests change one thing of it.
let smallPipeline = """
    name: Liver
    task: segmentation
    input:
      channels:
        - name: CT
          intensity:
            - scale: {from: [-57, 164], to: [0, 1], clip: true}
      axes: RAS
      spacing: [1.5, 1.5, 2]
      crop: none
    tiling:
      scheme: monai
      size: [96, 96, 96]
      overlap: 0.5
    output:
      activation: softmax
      decision: argmax
    labels:
      - liver
      - {value: 2, name: tumour}
    postprocessing:
      - largest_component: {labels: [1]}
    results:
      image: labels.nii.gz
    """

extension TemporaryFolder {
    @discardableResult
    func write(_ text: String, to name: String) -> String { write(Array(text.utf8), to: name) }
}

/// The problems of a text; empty when it is read.
func problems(_ text: String) -> [String] {
    do {
        _ = try Pipeline(yaml: text)
        return []
    } catch let error as PipelineError {
        return error.problems.map(\.description)
    } catch {
        return ["\(error)"]
    }
}

extension String {
    /// With the first occurrence changed.
    func changing(_ old: String, to new: String) -> String {
        guard let range = firstRange(of: old) else { return self + "MISSING \(old)" }
        return replacingCharacters(in: range, new)
    }

    private func firstRange(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }

    private func replacingCharacters(in range: Range<String.Index>, _ text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}

/// The same numbers each time.
struct RandomNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = 88_172_645_463_325_252 &+ seed }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state >> 8
    }
}
