using System.Text.Json;
using Crust.Spec;

namespace Crust.Machines;

/// <summary>UEFI firmware on this host: code that is mapped read-only, and a template for the machine's own variables.</summary>
/// <param name="Code">Path of the code.</param>
/// <param name="Variables">Path of the template; copied, never written.</param>
internal sealed record FirmwareImage(string Code, string Variables);

/// <summary>
/// Finds firmware through QEMU's firmware descriptors (docs/interop/firmware.json in QEMU's sources), which every
/// distribution ships, rather than through paths that differ between them.
/// </summary>
/// <param name="folders">Folders with descriptors; a file of an earlier folder hides those of the same name in later ones.</param>
internal sealed class FirmwareFinder(params IReadOnlyList<string> folders)
{
    /// <summary>The folders in which descriptors are looked for, by the order of QEMU's documentation.</summary>
    public static FirmwareFinder OfHost { get; } = new("/etc/qemu/firmware", "/usr/share/qemu/firmware");

    /// <summary>The first UEFI firmware for the architecture: without Secure Boot, or with it and Microsoft's keys.</summary>
    /// <exception cref="CrustException">None is installed.</exception>
    public FirmwareImage FindUefi(Arch arch, bool secureBoot)
    {
        var architecture = arch is Arch.Amd64 ? "x86_64" : "aarch64";
        // Descriptors are ordered by their file names ("50-…" before "60-…").
        var files = folders.Where(Directory.Exists).SelectMany(folder => Directory.EnumerateFiles(folder, "*.json"))
            .DistinctBy(Path.GetFileName).OrderBy(Path.GetFileName, StringComparer.Ordinal);
        return files.Select(file => Read(file, architecture, secureBoot)).FirstOrDefault(image => image is not null)
            ?? throw new CrustException(FailureKind.HostLacks, $"No UEFI firmware for {architecture}{(secureBoot ? " with Secure Boot" : "")} is installed",
                $"firmware descriptors in {string.Join(", ", folders)}",
                $"install it: apt-get install {PackageFor(arch)}");
    }

    /// <summary>The Debian package that brings UEFI firmware.</summary>
    public static string PackageFor(Arch arch) => arch is Arch.Amd64 ? "ovmf" : "qemu-efi-aarch64";

    private static FirmwareImage? Read(string file, string architecture, bool secureBoot)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            var root = json.RootElement;
            var mapping = root.GetProperty("mapping");
            var features = Strings(root.GetProperty("features")).ToList();
            var fits = Strings(root.GetProperty("interface-types")).Contains("uefi")
                && mapping.GetProperty("device").GetString() == "flash"
                && (secureBoot ? features.Contains("enrolled-keys") : !features.Any(feature => feature is "secure-boot" or "requires-smm"))
                // QEMU is given the files as raw ones; Fedora describes others first.
                && mapping.GetProperty("executable").GetProperty("format").GetString() == "raw"
                && root.GetProperty("targets").EnumerateArray().Any(target => target.GetProperty("architecture").GetString() == architecture);
            if (!fits)
            {
                return null;
            }

            var image = new FirmwareImage(FileOf(mapping.GetProperty("executable")), FileOf(mapping.GetProperty("nvram-template")));
            return File.Exists(image.Code) && File.Exists(image.Variables) ? image : null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IOException)
        {
            // A descriptor that isn't one describes no firmware; another may.
            return null;
        }
    }

    private static IEnumerable<string?> Strings(JsonElement array) => array.EnumerateArray().Select(item => item.GetString());

    private static string FileOf(JsonElement element) => element.GetProperty("filename").GetString() ?? "";
}
