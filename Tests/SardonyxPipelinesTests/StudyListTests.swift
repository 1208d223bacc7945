import SardonyxTestSupport
import Testing

@testable import SardonyxPipelines

/// Which images belong to one study.
struct StudyListTests {
    static let channels = ["T1", "FLAIR"]

    @Test func channelsOfACase() throws {
        let folder = TemporaryFolder()
        for name in ["s1/case_0000.nii", "s1/case_0001.nii", "s2/case_0000.nii", "s2/case_0001.nii"] {
            folder.write([1], to: name)
        }
        let (one, two) = (folder.path + "/s1", folder.path + "/s2")
        let studies = try Study.list([one], channels: Self.channels)
        #expect(studies == [Study(name: "case", images: [one + "/case_0000.nii", one + "/case_0001.nii"])])
        let named = try Study.list(["FLAIR=b.nii", "T1=a.nii.gz"], channels: Self.channels)
        #expect(named == [Study(name: "a", images: ["a.nii.gz", "b.nii"])])
        // Two patients of one name never become one study.
        for words in [[one, two], [one + "/case_0000.nii", two + "/case_0001.nii"]] {
            #expect(throws: PipelineFailure.self) { try Study.list(words, channels: Self.channels) }
        }
        // A number with a sign is no channel.
        #expect(try Study.list(["bad_-001.nii"], channels: Self.channels).map(\.name) == ["bad_-001"])
    }

    /// A channel's name that is the beginning of another one.
    @Test func channelsWithinEachOther() throws {
        let folder = TemporaryFolder()
        for name in ["p1/p1_t1.nii.gz", "p1/p1_t1ce.nii.gz", "p2/headT1w.nii", "p2/t1ce.nii", "p3/t1ce.nii"] {
            folder.write([1], to: name)
        }
        let studies = try Study.list([folder.path], channels: ["T1ce", "T1"])
        let p1 = folder.path + "/p1/p1_"
        #expect(studies[0] == Study(name: "p1", images: [p1 + "t1ce.nii.gz", p1 + "t1.nii.gz"]))
        #expect(studies[1].problem?.contains("could all be channel 'T1': name one file") == true)
        #expect(studies[2].problem?.contains("t1ce.nii could be channel 'T1' and another one: name one") == true)
        // The words of a name may stand apart in another way.
        folder.write([1], to: "p4/x-ct_0.nii")
        folder.write([1], to: "p4/x-ct_1.nii")
        #expect(try Study.list([folder.path], channels: ["CT 0", "CT 1"])[3].problem == nil)
    }

    /// Folders whose images cannot be told apart, and cases without a channel, are studies that say why.
    @Test func studiesThatCannotBeRun() throws {
        let folder = TemporaryFolder()
        for name in [
            "p1/T1.nii", "p1/flair.nii", "p2/t1-a.nii", "p2/t1-b.nii", "p2/flair.nii", "p3/t1.nii", "notes/read.txt",
            "done/t1.nii", "done/provenance.json", "case_0000.nii",
        ] { folder.write([1], to: name) }
        let path = folder.path
        let studies = try Study.list([path], channels: Self.channels)
        #expect(studies.map(\.name) == ["p1", "p2", "p3", "case"])
        #expect(studies[0] == Study(name: "p1", images: [path + "/p1/T1.nii", path + "/p1/flair.nii"]))
        let said = studies.map { $0.problem ?? "" }
        #expect(
            said[1].hasPrefix("\(path)/p2: \(path)/p2/t1-a.nii, \(path)/p2/t1-b.nii could all be channel 'T1': name"))
        #expect(said[2].hasPrefix("\(path)/p3: none of its images is named for channel 'FLAIR': name"))
        #expect(said[3] == "there is no image case_0001 for channel 'FLAIR': add it")
    }
}
