using System.Text.Json;
using Crust.Machines;
using Crust.Spec;

namespace Crust.Tests.Machines;

public sealed class FirmwareFinderTests
{
    private string _folder = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-firmware-").FullName;
        Directory.CreateDirectory(Etc);
        Directory.CreateDirectory(Share);
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private string Etc => Path.Combine(_folder, "etc");

    private string Share => Path.Combine(_folder, "share");

    private FirmwareFinder Finder => new(Etc, Share);

    [Test]
    public void Code_and_variables_are_those_that_the_descriptor_names()
    {
        Describe(Share, "60-ovmf", "a");

        Assert.That(Finder.FindUefi(Arch.Amd64, secureBoot: false), Is.EqualTo(new FirmwareImage(Path.Combine(_folder, "a.code"), Path.Combine(_folder, "a.vars"))));
    }

    [Test]
    public void Of_several_the_first_by_file_name_is_taken_from_whatever_folder()
    {
        Describe(Share, "60-b", "b");
        Describe(Share, "50-a", "a");
        Describe(Etc, "70-c", "c");
        CheckFinds("a");

        Describe(Etc, "40-d", "d");
        CheckFinds("d");
    }

    [Test]
    public void A_descriptor_of_the_administrator_hides_that_of_the_distribution()
    {
        Describe(Share, "50-ovmf", "distribution");
        Describe(Etc, "50-ovmf", "administrator");

        CheckFinds("administrator");
    }

    [Test]
    public void An_empty_descriptor_of_the_administrator_masks_that_of_the_distribution()
    {
        Describe(Share, "50-ovmf", "masked");
        Describe(Share, "60-ovmf", "other");
        File.WriteAllText(Path.Combine(Etc, "50-ovmf.json"), "");

        CheckFinds("other");
    }

    [TestCase("secure-boot")]
    [TestCase("requires-smm")]
    public void Firmware_with_Secure_Boot_is_skipped(string feature)
    {
        Describe(Share, "50-secure", "secure", features: ["acpi-s3", feature]);
        Describe(Share, "60-plain", "plain", features: ["acpi-s3"]);

        CheckFinds("plain");
    }

    [Test]
    public void Firmware_that_is_not_what_the_machine_maps_is_skipped()
    {
        Describe(Share, "10-bios", "bios", type: "bios");
        Describe(Share, "20-memory", "memory", device: "memory");
        Describe(Share, "30-qcow2", "qcow2", format: "qcow2");
        Describe(Share, "40-arm", "arm", architecture: "aarch64");
        Describe(Share, "50-fits", "fits");

        CheckFinds("fits");
    }

    [Test]
    public void Each_architecture_gets_its_own()
    {
        Describe(Share, "50-arm", "arm", architecture: "aarch64");
        Describe(Share, "60-amd", "amd");

        Assert.That(Finder.FindUefi(Arch.Arm64, secureBoot: false).Code, Is.EqualTo(Path.Combine(_folder, "arm.code")));
        Assert.That(Finder.FindUefi(Arch.Amd64, secureBoot: false).Code, Is.EqualTo(Path.Combine(_folder, "amd.code")));
    }

    [TestCase("")]
    [TestCase("{")]
    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("{}")]
    [TestCase("""{"interface-types": "uefi", "mapping": 5, "features": {}, "targets": null}""")]
    [TestCase("""{"interface-types": ["uefi"], "mapping": {"device": "flash"}, "features": [], "targets": [{"architecture": "x86_64"}]}""")]
    public void A_broken_descriptor_is_skipped(string json)
    {
        File.WriteAllText(Path.Combine(Share, "50-broken.json"), json);
        Describe(Share, "60-whole", "whole");

        CheckFinds("whole");
    }

    [TestCase("code")]
    [TestCase("vars")]
    public void Firmware_whose_files_are_missing_is_skipped(string missing)
    {
        Describe(Share, "50-gone", "gone");
        File.Delete(Path.Combine(_folder, $"gone.{missing}"));
        Describe(Share, "60-here", "here");

        CheckFinds("here");
    }

    [TestCase(Arch.Amd64, "No UEFI firmware for x86_64 is installed", "install it: apt-get install ovmf")]
    [TestCase(Arch.Arm64, "No UEFI firmware for aarch64 is installed", "install it: apt-get install qemu-efi-aarch64")]
    public void Without_any_the_package_is_named(Arch arch, string what, string remedy)
    {
        Directory.Delete(Etc);

        Spec.ErrorAssert.Says(Assert.Throws<CrustException>(() => Finder.FindUefi(arch, secureBoot: false))!,
            FailureKind.HostLacks, what, $"firmware descriptors in {Etc}, {Share}", remedy);
    }

    private void CheckFinds(string name) => Assert.That(Path.GetFileName(Finder.FindUefi(Arch.Amd64, secureBoot: false).Code), Is.EqualTo($"{name}.code"));

    // As docs/interop/firmware.json in QEMU's sources has it.
    private void Describe(string folder, string file, string name, string type = "uefi", string device = "flash", string format = "raw",
        string architecture = "x86_64", params string[] features)
    {
        var (code, vars) = (Path.Combine(_folder, $"{name}.code"), Path.Combine(_folder, $"{name}.vars"));
        File.WriteAllText(code, "");
        File.WriteAllText(vars, "");
        File.WriteAllText(Path.Combine(folder, file + ".json"), JsonSerializer.Serialize(new Dictionary<string, object>
        {
            ["description"] = name,
            ["interface-types"] = new[] { type },
            ["mapping"] = new Dictionary<string, object>
            {
                ["device"] = device,
                ["executable"] = new { filename = code, format },
                ["nvram-template"] = new { filename = vars, format },
            },
            ["targets"] = new[] { new { architecture, machines = new[] { "pc-q35-*" } } },
            ["features"] = features,
            ["tags"] = Array.Empty<string>(),
        }));
    }
}
