using Crust.Tests.Recipes;

namespace Crust.Tests.Machine.Sysexts;

// Docker and k3s by the recipes that Crust ships, from a server in upstream's place whose programs do what their units expect: in each format, merged, started by systemd itself.
public sealed partial class GuestExtensionTests
{
    private const string StandInScript = """
        until systemctl -q is-active multi-user.target; do sleep 0.2; done
        active() {
            for i in $(seq 200); do
                state=$(systemctl is-active "$@" | tr '\n' ' ')
                case "$state" in *inactive*|*activating*|*failed*|*unknown*) sleep 0.2 ;; *) break ;; esac
            done
            echo "$state"
        }
        for format in squashfs erofs ext4 ddi; do
            for name in docker k3s; do
                file=$(echo /ext/$format/$name-*.raw)
                # Under the name by which it is merged.
                ln -s "$file" /run/extensions/$name.raw
                systemd-dissect --no-pager /run/extensions/$name.raw 2>&1 | sed "s/^/dissected $name as $format: /"
            done
            systemd-sysext merge 2>&1 | sed "s/^/merge of $format: /"
            [ $systemd -ge 255 ] || systemctl daemon-reload
            echo "units of $format: $(active containerd.service docker.socket k3s.service)"
            echo "answers of $format: $(timeout 100 docker), $(kubectl)"
            echo "docker of $format: $(active docker.service)"
            systemd-sysext unmerge
            systemctl daemon-reload
            systemctl stop docker.socket docker.service docker-group.service containerd.service k3s.service || true
            rm /run/extensions/*
        done
        policy=--image-policy=root=signed
        [ $systemd -ge 254 ] || policy=
        for file in /ext/ddi/docker-*.raw /ext/unsigned/unsigned.raw; do
            name=$(basename "$file" | cut -d- -f1 | cut -d. -f1)
            ln -s "$file" /run/extensions/$name.raw
            systemd-sysext $policy merge 2>&1 | sed "s/^/merge by policy of $name: /"
            echo "policy: $name $([ -e /usr/lib/extension-release.d/extension-release.$name ] && echo merged || echo refused)"
            systemd-sysext unmerge || true
            rm /run/extensions/*
        done
        """;

    private string Certificate => Path.Combine(_crust.Folder, "extensions.crt");

    private async Task BuildStandInsAsync()
    {
        var (program, key) = (Path.Combine(_crust.Folder, "stand-in"), Path.Combine(_crust.Folder, "extensions.key"));
        await Host.RunAsync("gcc", ["-Os", "-s", "-static", "-Wall", "-o", program, Path.Combine(AppContext.BaseDirectory, "Sysexts", "stand-in.c")], Cancellation);
        await Host.RunAsync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=extensions", "-keyout", key, "-out", Certificate], Cancellation);
        var bytes = await File.ReadAllBytesAsync(program, Cancellation);
        using var upstream = new StandIn { Program = name => name is "LICENSE" or "README.md" ? null : bytes };
        upstream.CopyShipped("", "docker", "k3s");
        foreach (var format in new[] { "squashfs", "erofs", "ext4", "ddi" })
        {
            string[] signed = format == "ddi" ? ["--key", key, "--certificate", Certificate] : [];
            foreach (string[] recipe in new string[][] { ["docker"], ["k3s", "--variant", "server"] })
            {
                await CrustAsync(["sysext", "build", .. recipe, "--recipes", upstream.Recipes, "--mirror", upstream.MirrorUrl, "--format", format, .. signed, "--reload", "--output", Path.Combine(Disk, format)]);
            }
        }

        var folder = Directory.CreateDirectory(Path.Combine(_crust.Folder, "unsigned", "usr", "share", "unsigned")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "a"), "", Cancellation);
        await CrustAsync("sysext", "build", Path.Combine(_crust.Folder, "unsigned"), "--format", "ddi", "--output", Path.Combine(Disk, "unsigned"));
    }

    [Test]
    public void Shipped_recipes_are_merged_from_each_format_and_their_units_run([Values(Bookworm, Trixie)] string suite, [Values("squashfs", "erofs", "ext4", "ddi")] string format)
    {
        Assert.That(Said(suite, $"units of {format}"), Is.EqualTo(new[] { "active active active " }));
        // Docker's socket starts the daemon, which answers through it; k3s is linked under the names of its parts.
        Assert.That(Said(suite, $"answers of {format}"), Is.EqualTo(new[] { "dockerd answers with --host=fd://, kubectl stands in" }));
        Assert.That(Said(suite, $"docker of {format}"), Is.EqualTo(new[] { "active " }));
        foreach (var name in new[] { "docker", "k3s" })
        {
            var dissected = string.Join('\n', Said(suite, $"dissected {name} as {format}"));
            Assert.That(dissected, Does.Match("✓ (extension|sysext) for system").And.Contain("ID=_any"));
            Assert.That(dissected, Does.Match(format == "ddi" ? @"root\s.*squashfs.*signed" : $@"root\s.*{format}"));
        }
    }

    // Debian 12's systemd has no policies yet.
    [TestCase(Bookworm, "unsigned merged")]
    [TestCase(Trixie, "unsigned refused")]
    public void A_policy_that_demands_signatures_takes_what_is_signed_alone(string suite, string fate) =>
        Assert.That(Said(suite, "policy"), Is.EqualTo(new[] { "docker merged", fate }));
}
