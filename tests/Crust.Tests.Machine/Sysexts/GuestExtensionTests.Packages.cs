using System.Text.RegularExpressions;
using Crust.Sysexts;
using Crust.Sysexts.Checks;

namespace Crust.Tests.Machine.Sysexts;

// Debian's own packages of one release on the other: they run where Crust finds nothing missing, and where they don't, the loader misses what Crust says.
public sealed partial class GuestExtensionTests
{
    private const string PackageScript = """
        ln -s /ext/tools.raw /run/extensions/tools.raw
        systemd-sysext merge
        for program in crun containerd podman cosign oras; do
            [ -e /usr/bin/$program ] || continue
            case $program in cosign|oras) how=version ;; *) how=--version ;; esac
            LD_TRACE_LOADED_OBJECTS=1 /lib64/ld-linux-x86-64.so.2 /usr/bin/$program 2>&1 | sed "s/^/libraries of $program: /"
            if $program $how >/run/said 2>&1; then
                echo "$program: ran: $(tr '\n' ' ' </run/said)"
            else
                echo "$program: failed: $(tr '\n' ' ' </run/said)"
            fi
        done
        systemd-sysext unmerge
        """;

    // With what the other release doesn't have under the same name.
    private static readonly Dictionary<string, string> Packages = new()
    {
        [Bookworm] = "crun,libyajl2,containerd,podman,libsubid4,libgpgme11,libassuan0,libdevmapper1.02.1",
        [Trixie] = "crun,libyajl2,containerd,podman,cosign,oras",
    };

    private Task<string[]> BuildPackagesAsync() => Task.WhenAll(Packages.Select(entry => CrustAsync("sysext", "build", "--packages", entry.Value, "--suite", entry.Key, "--name", "tools", "--output", Path.Combine(Disk, "packages", entry.Key))));

    [TestCase(Trixie, "crun: crun version 1.8", "containerd: containerd github.com/containerd/containerd 1.6", "podman: podman version 4.3")]
    [TestCase(Bookworm, "containerd: containerd github.com/containerd/containerd 1.7", "cosign", "oras")]
    public async Task Packages_of_one_release_run_on_the_other_unless_Crust_says_what_is_missing(string suite, params string[] running)
    {
        var extension = await ReadAsync(Path.Combine(Disk, "packages", suite == Trixie ? Bookworm : Trixie, "tools.raw"));
        var findings = SysextCheck.Check(extension, SysextProfile.Any, HostOf(suite));
        var ran = new List<string>();
        foreach (var program in new[] { "crun", "containerd", "podman", "cosign", "oras" }.Where(program => extension.Tree.Find("usr/bin/" + program) is not null))
        {
            var about = findings.Where(finding => finding.Path == "usr/bin/" + program).ToList();
            var listed = string.Join('\n', Said(suite, $"libraries of {program}"));
            var missing = Regex.Matches(listed, @"(\S+) => not found").Select(match => match.Groups[1].Value).ToList();
            var found = Regex.Matches(listed, @"(\S+) => /").Select(match => match.Groups[1].Value).ToList();
            var warned = about.Where(finding => finding.Rule == "library").SelectMany(finding => Regex.Match(finding.What, "It needs (.*), which").Groups[1].Value.Split(", ")).ToList();
            var isTooNew = about.Any(finding => finding.Rule == "glibc");
            await TestContext.Out.WriteLineAsync($"{program}: {string.Join("; ", about.Select(finding => finding.ToLine()))}");

            Assert.That(missing, Is.SubsetOf(warned), program);
            Assert.That(isTooNew, Is.EqualTo(listed.Contains("version `GLIBC_")), $"{program}: {listed}");
            Assert.That(warned.Except(missing), Is.SubsetOf(found), program);
            Assert.That(Said(suite, program).Single(), Does.StartWith(missing.Count > 0 || isTooNew ? "failed: " : "ran: "));
            ran.AddRange(Said(suite, program).Where(line => line.StartsWith("ran: ", StringComparison.Ordinal)).Select(line => $"{program}: {line[5..]}"));
        }

        Assert.That(ran, Has.Count.EqualTo(running.Length));
        Assert.That(ran.Zip(running, (one, other) => one.StartsWith(other, StringComparison.Ordinal)), Is.All.True, string.Join('\n', ran));
        // What doesn't run doesn't for want of a newer glibc.
        Assert.That(findings.Where(finding => finding.Rule == "glibc").Select(finding => finding.Path.Split('/')[^1]), suite == Trixie ? Is.Empty : Is.SupersetOf(new[] { "crun", "podman" }));
    }
}
