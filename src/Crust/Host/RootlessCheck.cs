using System.Collections.Immutable;
using Crust.Planning;
using Crust.Tools;

namespace Crust.Host;

/// <summary>
/// Whether mmdebstrap can make a root file system here: as root, or as a user in a user namespace of its own (user_namespaces(7), subuid(5)).
/// </summary>
/// <param name="tools">Looks for newuidmap.</param>
internal sealed class RootlessCheck(ToolBox tools, HostFiles files, string user, bool isRoot) : IHostCheck
{
    // A root file system has owners up to 65534.
    private const int Ids = 65536;

    private static readonly ImmutableArray<string> Programs = ["newuidmap", "newgidmap"];
    private static readonly ImmutableArray<string> IdFiles = ["etc/subuid", "etc/subgid"];
    private static readonly ImmutableArray<(string File, string Setting)> Switches =
    [
        ("proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone=1"),
        ("proc/sys/user/max_user_namespaces", "user.max_user_namespaces=10000"),
    ];

    public Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation)
    {
        var need = question.Spec.Base.Debian.Suite is not null && question.Forecast.SourceSize is null ? Need.Required : question.Forecast.Appliance;
        return Task.FromResult<IReadOnlyList<Finding>>(need is Need.None && !question.Thoroughly ? [] : [Find(need)]);
    }

    private Finding Find(Need need)
    {
        if (isRoot)
        {
            return new Finding("host", "rights", Gravity.Fine, "root: mmdebstrap needs nothing else");
        }

        var gravity = need switch { Need.Required => Gravity.Problem, Need.Wanted => Gravity.Warning, _ => Gravity.Note };
        var finding = new Finding("host", "rights", gravity, "");
        if (Programs.FirstOrDefault(program => tools.Find(program) is null) is { } program)
        {
            return Finding.Missing("host", "rights", gravity, $"mmdebstrap needs '{program}' where it isn't run by root", "searched in PATH and the sbin folders", ToolBox.PackageOf(program));
        }

        if (IdFiles.FirstOrDefault(file => !HasIds(file)) is { } file)
        {
            return finding with
            {
                What = $"mmdebstrap needs {Ids} subordinate ids for the user {user}",
                Where = "/" + file,
                Remedy = $"sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}",
            };
        }

        if (Switches.FirstOrDefault(row => files.Number(row.File) == 0) is (not null, var setting))
        {
            return finding with
            {
                What = "mmdebstrap needs user namespaces where it isn't run by root, and this kernel allows none",
                Where = setting.Split('=')[0],
                Remedy = $"sudo sysctl {setting}",
            };
        }

        return finding with { Gravity = Gravity.Fine, What = $"{user}: mmdebstrap works in a user namespace" };
    }

    // Lines of user:first:count.
    private bool HasIds(string file) => files.Lines(file).Select(line => line.Split(':'))
        .Any(row => row.Length == 3 && row[0] == user && int.TryParse(row[2], out var count) && count >= Ids);
}
