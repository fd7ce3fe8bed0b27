using System.Text.Json.Nodes;
using Crust.Cli.Views;
using Crust.Host;
using Crust.Media;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Cli.Commands;

/// <summary>`crust installer` with a base: the preflight report, then the ISO and its checksum.</summary>
internal static class LiveInstallerRun
{
    public static async Task<ExitCode> RunAsync(CrustServices services, BuildSpec spec, string folder, bool checkOnly, bool json, IAsyncDisposable view,
        TextWriter output, CancellationToken cancellation)
    {
        var path = Path.Combine(folder, LiveInstaller.NameOf(spec) + ".iso");
        var sums = path + ".sha256";
        if (!checkOnly)
        {
            CheckPlaces(spec, path, sums);
        }

        if (InstallerRules.IsOfDebian(spec) && !checkOnly)
        {
            return await RunDebianAsync(services, spec, path, sums, json, view, output, cancellation);
        }

        var plan = await services.Live.PrepareAsync(spec, packs: !checkOnly, cancellation);
        if (checkOnly)
        {
            await view.DisposeAsync();
            output.Write(json ? InstallerView.ToJson(plan, null).ToJsonString() + "\n" : InstallerView.Lines(plan));
            return plan.Findings.Any(finding => finding.Gravity is LiveGravity.Problem) ? ExitCode.BadInput : ExitCode.Done;
        }

        var result = await WriteAsync(services, plan, path, sums, cancellation);
        await view.DisposeAsync();
        var shown = Path.GetRelativePath(Environment.CurrentDirectory, path);
        output.Write(json ? InstallerView.ToJson(plan, result with { Path = shown }).ToJsonString() + "\n" : shown + "\n");
        return ExitCode.Done;
    }

    // An installer replaces Crust's own files alone, and none that it is made from.
    private static void CheckPlaces(BuildSpec spec, string path, string sums)
    {
        foreach (var place in new[] { path, sums })
        {
            if (spec.InputFiles.Contains(place))
            {
                throw new CrustException(FailureKind.BadInput, "The installer would replace one of its own inputs", place,
                    "choose another folder with --output, or another name with --name");
            }

            OutputCheck.CheckPlace(place, () => OutputFile.IsSigned(place) is not false);
        }
    }

    private static async Task<ExitCode> RunDebianAsync(CrustServices services, BuildSpec spec, string path, string sums, bool json, IAsyncDisposable view,
        TextWriter output, CancellationToken cancellation)
    {
        var (sha256, size) = await PlaceAsync(path, sums, draft => services.Debian.WriteAsync(spec, draft, cancellation));
        await view.DisposeAsync();
        var shown = Path.GetRelativePath(Environment.CurrentDirectory, path);
        output.Write(json ? new JsonObject { ["version"] = 1, ["file"] = shown, ["sha256"] = sha256, ["size"] = size }.ToJsonString() + "\n" : shown + "\n");
        return ExitCode.Done;
    }

    private static async Task<LiveResult> WriteAsync(CrustServices services, LivePlan plan, string path, string sums, CancellationToken cancellation)
    {
        var (sha256, size) = await PlaceAsync(path, sums, async draft =>
        {
            var result = await services.Live.WriteAsync(plan, draft, cancellation);
            return (result.Sha256, result.Size, !plan.Medium.Seed.Secrets.IsEmpty);
        });
        return new LiveResult(path, sha256, size);
    }

    private static async Task<(string Sha256, long Size)> PlaceAsync(string path, string sums, Func<string, Task<(string Sha256, long Size, bool IsSecret)>> write)
    {
        var folder = Path.GetDirectoryName(path)!;
        try
        {
            using var drafts = DraftFolder.Create(folder);
            var draft = Path.Combine(drafts.Path, Path.GetFileName(path));
            var (sha256, size, isSecret) = await write(draft);
            // The checksum first: whoever finds the new ISO finds the checksum of it.
            OutputFile.Write(drafts.Path, sums, $"{sha256}  {Path.GetFileName(path)}\n");
            if (isSecret)
            {
                OutputFile.PlacePrivate(draft, path);
            }
            else
            {
                OutputFile.Place(draft, path);
            }

            return (sha256, size);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The installer couldn't be written: {e.Message}", folder,
                "make room there, make the folder writable, or choose another with --output", e);
        }
    }
}
