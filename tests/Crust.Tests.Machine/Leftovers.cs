using System.Security.Cryptography;
using Crust.Storage;

namespace Crust.Tests.Machine;

/// <summary>What a run of the program must not leave on the host, whatever happened to it; and the earlier images, which it must not touch.</summary>
internal static class Leftovers
{
    // Made under these names and renamed or removed: whoever still has one was ended in the middle.
    private static readonly string[] Unfinished = ["*.unfinished-*", "scratch-*", ".crust-*", "crust-probe-*", "*.partial", "*.work", "*.overlay", "seed.iso"];

    private static readonly string[] Evidence = [".log", ".screen.png", ".report.html"];

    /// <summary>Whether a file is what a build leaves for a diagnosis.</summary>
    public static bool IsEvidence(string file) => Evidence.Any(file.EndsWith);

    /// <summary>Puts images of that name into the images folder, as an earlier build would have left them.</summary>
    /// <returns>Their names and checksums, for <see cref="AssertNone"/>.</returns>
    public static Dictionary<string, string> PutEarlierImages(CrustProcess crust, string name)
    {
        Directory.CreateDirectory(crust.Images);
        foreach (var file in new[] { $"{name}.img", $"{name}.img.bmap", $"{name}.qcow2", $"{name}.manifest.json", "another.vmdk", "SHA256SUMS" })
        {
            File.WriteAllText(crust.Image(file), $"{new string('0', 64)}  an earlier build's {file}\n");
            OutputFile.Sign(crust.Image(file));
        }

        return Hashes(crust);
    }

    /// <summary>The checksums of all that lies in the images folder, but what is kept of a failed build for its diagnosis.</summary>
    public static Dictionary<string, string> Hashes(CrustProcess crust) => crust.ImageFiles.Where(file => !IsEvidence(file))
        .ToDictionary(file => file, file => File.Exists(crust.Image(file)) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(crust.Image(file)))) : "a folder");

    /// <summary>Looks for all that a run could have left: processes, sockets and their folders, loop devices, mounts, temporary files, changed images.</summary>
    /// <param name="crust">The program, when no run of it goes on.</param>
    /// <param name="images">What the images folder must hold beside logs, by name and checksum; null if that is looked at elsewhere.</param>
    public static void AssertNone(CrustProcess crust, Dictionary<string, string>? images)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Processes(crust), Is.Empty, "processes");
            Assert.That(Directory.EnumerateFileSystemEntries(crust.Runtime), Is.Empty, "the folder of sockets");
            Assert.That(File.ReadLines("/proc/net/unix").Where(line => line.Contains(crust.Folder, StringComparison.Ordinal)), Is.Empty, "sockets");
            Assert.That(LoopDevices().Where(file => file.Contains(crust.Folder, StringComparison.Ordinal)), Is.Empty, "loop devices");
            Assert.That(TemporaryFiles(crust), Is.Empty, "temporary files");
            Assert.That(Directory.Exists(Path.Combine(crust.Cache, "logs")) ? Directory.GetFiles(Path.Combine(crust.Cache, "logs")) : [], Is.Empty, "logs of builds under way");
            Assert.That(UnfinishedFiles(crust), Is.Empty, "files that aren't finished");
            if (images is not null)
            {
                Assert.That(Hashes(crust), Is.EquivalentTo(images), "images");
            }
        }
    }

    /// <summary>All processes that the program started, children's children and those that left it too: they have its environment, or a path of its folder.</summary>
    public static IEnumerable<string> Processes(CrustProcess crust) =>
        from folder in Directory.EnumerateDirectories("/proc")
        where int.TryParse(Path.GetFileName(folder), out var id) && id != Environment.ProcessId
        where TryRead(Path.Combine(folder, "environ")).Contains(crust.Folder, StringComparison.Ordinal)
            || TryRead(Path.Combine(folder, "cmdline")).Contains(crust.Folder, StringComparison.Ordinal)
        select $"{Path.GetFileName(folder)}: {TryRead(Path.Combine(folder, "cmdline")).Replace('\0', ' ')}";

    // .NET's own sockets for debuggers stay behind when it is killed.
    private static IEnumerable<string?> TemporaryFiles(CrustProcess crust) => Directory.EnumerateFileSystemEntries(crust.Temporary).Select(Path.GetFileName)
        .Where(file => !file!.StartsWith("dotnet-diagnostic-", StringComparison.Ordinal) && !file.StartsWith("clr-debug-pipe-", StringComparison.Ordinal));

    private static IEnumerable<string> LoopDevices() =>
        Directory.EnumerateDirectories("/sys/block", "loop*").Select(device => TryRead(Path.Combine(device, "loop/backing_file")));

    // The user's own cache may be linked in; others build there at the same time.
    private static IEnumerable<string> UnfinishedFiles(CrustProcess crust) =>
        from root in new[] { crust.Cache, crust.Images }
        where Directory.Exists(root)
        from pattern in Unfinished
        from file in Directory.EnumerateFileSystemEntries(root, pattern, new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint })
        select file;

    private static string TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
