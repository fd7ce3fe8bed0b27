using Crust.Machines;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Installers;

/// <param name="tools">Runs xorriso.</param>
internal sealed class IsoFiles(ToolBox tools)
{
    private const int MostNames = 8;
    private const int NotFound = 5;

    /// <summary>Takes a kernel and its initramfs out of an installer's ISO, into a folder.</summary>
    /// <param name="plan">Which; null for none.</param>
    /// <param name="archive">An archive that is appended to the initramfs; null for none.</param>
    /// <param name="folder">An existing folder that only this user can enter.</param>
    /// <returns>What the machine starts with, whose files go when it is disposed of; null for the ISO's own boot loader.</returns>
    /// <exception cref="CrustException">The ISO has no such file.</exception>
    public async Task<InstallerKernel?> TakeKernelAsync(KernelPlan? plan, string iso, string? archive, string folder, CancellationToken cancellation)
    {
        if (plan is null)
        {
            return null;
        }

        var kernel = await TakeAsync(iso, plan.Kernel, "installer.boot.kernel", Path.Combine(folder, "kernel"), cancellation);
        var initrd = plan.Initrd is null ? null : await TakeAsync(iso, plan.Initrd, "installer.boot.initrd", Path.Combine(folder, "initrd"), cancellation);
        if (archive is not null)
        {
            Append(archive, initrd ?? throw new ArgumentException("There is no initramfs to append to.", nameof(plan)));
        }

        return new InstallerKernel(new DirectBoot(kernel, initrd, plan.Arguments.Length == 0 ? [] : [plan.Arguments]));
    }

    // The kernel looks for the next archive at a multiple of four bytes, and passes over zeros.
    private static void Append(string archive, string initrd)
    {
        File.SetUnixFileMode(initrd, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = new FileStream(initrd, FileMode.Append);
        while (file.Length % 4 != 0)
        {
            file.WriteByte(0);
        }

        using var more = File.OpenRead(archive);
        more.CopyTo(file);
    }

    private async Task<string> TakeAsync(string iso, string file, string key, string to, CancellationToken cancellation)
    {
        var path = "/" + file.Trim('/');
        if (!(await NamesAsync(iso, ParentOf(path), cancellation)).Contains(path))
        {
            throw Bad($"The ISO has no file '{path}'", await SuggestAsync(iso, path, cancellation));
        }

        // Of a folder, only itself comes.
        await tools.RunAsync(ToolCommand.Of("xorriso", "-osirrox", "on", "-indev", iso, "-extract_single", path, to), cancellation);
        if (new FileInfo(to).LinkTarget is { } target)
        {
            File.Delete(to);
            throw Bad($"'{path}' in the ISO is a link to '{target}'", "name the file itself");
        }

        if (Directory.Exists(to))
        {
            throw Bad($"'{path}' in the ISO is a folder", $"name a file in it: {await NamesInAsync(iso, path, cancellation)}");
        }

        return to;

        CrustException Bad(string what, string remedy) => new(FailureKind.BadInput, what, $"{key}, {iso}", remedy);
    }

    private async Task<string> SuggestAsync(string iso, string path, CancellationToken cancellation)
    {
        for (var folder = ParentOf(path); ; folder = ParentOf(folder))
        {
            var names = (await NamesAsync(iso, folder, cancellation)).Where(name => name != folder).ToList();
            if (names.Count > 0 || folder == "/")
            {
                var near = Nearest.Find(path, names) is { } one ? $"did you mean '{one}'? " : "";
                return $"{near}The folder {folder} has {Listed(names.OrderBy(name => Nearest.Distance(path, name)))}";
            }
        }
    }

    private async Task<string> NamesInAsync(string iso, string folder, CancellationToken cancellation) =>
        Listed((await NamesAsync(iso, folder, cancellation)).Where(name => name != folder));

    private static string Listed(IEnumerable<string> names)
    {
        var all = names.ToList();
        return string.Join(", ", all.Take(MostNames)) + (all.Count > MostNames ? $" and {all.Count - MostNames} more" : all.Count == 0 ? "nothing in it" : "");
    }

    // The folder and what is in it, as absolute paths; empty if there is no such folder.
    private async Task<IReadOnlyList<string>> NamesAsync(string iso, string folder, CancellationToken cancellation)
    {
        var found = await tools.RunAsync(ToolCommand.Of("xorriso", "-indev", iso, "-find", folder, "-maxdepth", "1") with { SuccessCodes = [0, NotFound] }, cancellation);
        // One a line, quoted as for a shell.
        return [.. found.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith("'/", StringComparison.Ordinal))
            .Select(line => line.Trim('\'').Replace("'\"'\"'", "'"))];
    }

    private static string ParentOf(string path) => path.LastIndexOf('/') is var slash and > 0 ? path[..slash] : "/";
}

/// <summary>An installer's kernel, taken out of its ISO.</summary>
/// <param name="boot">The files, and the kernel's command line.</param>
internal sealed class InstallerKernel(DirectBoot boot) : IDisposable
{
    public DirectBoot Boot => boot;

    public void Dispose()
    {
        File.Delete(boot.Kernel);
        if (boot.Initramfs is not null)
        {
            File.Delete(boot.Initramfs);
        }
    }
}
