using System.Text;
using System.Text.Json;
using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Spec;
using Crust.Sysexts;
using Crust.Tests.Seeds;
using YamlDotNet.RepresentationModel;

namespace Crust.Tests.Sysexts;

public sealed class FirstBootConfigTests
{
    private static readonly FirstBootRequest Request = new(
        [(SysextFile.Of("docker-28.1.0-x86-64.raw")!, new string('a', 64)), (SysextFile.Of("k3s-v1.34.1+k3s1-x86-64.raw")!, new string('b', 64))],
        new Uri("https://extensions.example.org/stable/"), [0x98, 0x33, 0x04]);

    [Test]
    public void The_rules_for_Ignition_find_nothing_in_it()
    {
        using var sample = new SeedSample();
        var seed = new SeedSpec { Kind = SeedKind.Ignition, UserData = [sample.Write("first-boot.ign", FirstBootConfig.Ignition(Request))] };

        var findings = SeedChecks.Check(SeedSample.SpecOf(seed), SeedFiles.Read(seed), null);

        // It sets up a system; it ends no installer.
        Assert.That(findings.Where(finding => finding.Rule.Contains("ignition", StringComparison.Ordinal) || finding.Severity is SeedSeverity.Error), Is.Empty, string.Join('\n', findings));
    }

    [Test]
    public void Each_extension_is_fetched_with_its_checksum_linked_and_updated_by_a_definition_of_its_own()
    {
        using var json = JsonDocument.Parse(FirstBootConfig.Ignition(Request));
        var files = json.RootElement.GetProperty("storage").GetProperty("files").EnumerateArray().ToDictionary(file => file.GetProperty("path").GetString()!, file => file.GetProperty("contents"));

        Assert.That(files["/opt/extensions/k3s/k3s-v1.34.1+k3s1-x86-64.raw"].GetRawText().Replace(" ", "").Replace("\n", ""), Is.EqualTo(
            $"{{\"source\":\"https://extensions.example.org/stable/k3s-v1.34.1%2Bk3s1-x86-64.raw\",\"verification\":{{\"hash\":\"sha256-{new string('b', 64)}\"}}}}"));
        Assert.That(files.Keys, Is.SupersetOf(new[]
        {
            "/etc/sysupdate.docker.d/docker.transfer", "/etc/sysupdate.docker.d/docker.conf", "/etc/sysupdate.k3s.d/k3s.conf", "/etc/sysupdate.d/noop.conf", "/etc/systemd/import-pubring.gpg",
        }));
        Assert.That(Text(files["/etc/sysupdate.docker.d/docker.conf"]), Does.Contain("Verify=yes"));
        Assert.That(json.RootElement.GetProperty("storage").GetProperty("links").EnumerateArray().Select(link => (link.GetProperty("path").GetString(), link.GetProperty("target").GetString())), Is.EqualTo(new[]
        {
            ("/etc/extensions/docker.raw", "/opt/extensions/docker/docker-28.1.0-x86-64.raw"), ("/etc/extensions/k3s.raw", "/opt/extensions/k3s/k3s-v1.34.1+k3s1-x86-64.raw"),
        }));
        Assert.That(json.RootElement.GetProperty("systemd").GetProperty("units").GetRawText(), Does.Contain("systemd-sysupdate -C docker update").And.Contain("systemd-sysupdate -C k3s update"));
    }

    [Test]
    public void Butanes_YAML_says_the_same()
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(FirstBootConfig.Butane(Request)));

        var root = (YamlMappingNode)yaml.Documents[0].RootNode;
        Assert.That(((YamlScalarNode)root["variant"]).Value, Is.EqualTo("flatcar"));
        var files = (YamlSequenceNode)root["storage"]["files"];
        Assert.That(files.Select(file => ((YamlScalarNode)file["mode"]).Value).Distinct(), Is.EqualTo(new[] { "0644" }));
        var definition = files.Single(file => ((YamlScalarNode)file["path"]).Value == "/etc/sysupdate.docker.d/docker.transfer");
        Assert.That(((YamlScalarNode)definition["contents"]["inline"]).Value, Is.EqualTo(TransferFile.Of(Request.Files[0].File, Request.Url, isSigned: true)));
    }

    private static string Text(JsonElement contents) => Encoding.UTF8.GetString(Convert.FromBase64String(contents.GetProperty("source").GetString()!.Split(',')[1]));
}
