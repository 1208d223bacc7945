import SardonyxTestSupport

@testable import SardonyxPipelines

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
        contains(old) ? replacing(old, with: new, maxReplacements: 1) : self + "MISSING \(old)"
    }
}
