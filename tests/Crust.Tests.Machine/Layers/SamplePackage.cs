namespace Crust.Tests.Machine.Layers;

/// <summary>A package of Debian's format, `crust-sample`, and a folder that apt installs it from: `deb [trusted=yes] file:/FOLDER ./`.</summary>
internal static class SamplePackage
{
    private const string Control = "Package: crust-sample\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <nobody@example.com>\nDescription: a sample\n";

    public static async Task WriteAsync(string folder, CancellationToken cancellation)
    {
        var content = Directory.CreateTempSubdirectory("crust-package-").FullName;
        try
        {
            Directory.CreateDirectory(Path.Combine(content, "DEBIAN"));
            Directory.CreateDirectory(Path.Combine(content, "usr/share/crust-sample"));
            await File.WriteAllTextAsync(Path.Combine(content, "DEBIAN/control"), Control, cancellation);
            await File.WriteAllTextAsync(Path.Combine(content, "usr/share/crust-sample/here"), "here\n", cancellation);
            Directory.CreateDirectory(folder);
            var package = Path.Combine(folder, "crust-sample.deb");
            await Host.RunAsync("dpkg-deb", ["--root-owner-group", "-b", content, package], cancellation);
            var sum = (await Host.RunAsync("sha256sum", [package], cancellation))[..64];
            await File.WriteAllTextAsync(Path.Combine(folder, "Packages"), $"{Control}Filename: ./crust-sample.deb\nSize: {new FileInfo(package).Length}\nSHA256: {sum}\n", cancellation);
        }
        finally
        {
            Directory.Delete(content, recursive: true);
        }
    }
}
