using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Crust.Seeds.Documents;
using YamlDotNet.Core;

namespace Crust.Sysexts;

/// <param name="Files">The extensions, each once and of one architecture, with their checksums.</param>
/// <param name="Keyring">The public keys that sign the index, as GPG exports them; null where it isn't signed.</param>
internal sealed record FirstBootRequest(ImmutableArray<(SysextFile File, string Sha256)> Files, Uri Url, byte[]? Keyring);

/// <summary>
/// The configuration by which a system that Ignition sets up (Flatcar, Fedora CoreOS) gets extensions on its first boot and updates them from then on, as Ignition's JSON or as Butane's YAML.
/// </summary>
internal static class FirstBootConfig
{
    // The first that Flatcar's stable channel and every Fedora CoreOS take, and that has all that is needed.
    internal const string IgnitionVersion = "3.3.0";

    private const string Keyring = "/etc/systemd/import-pubring.gpg";
    private const int Readable = 420;

    // Each component has a command of its own; systemd's unit alone would look at /etc/sysupdate.d only.
    private const string Update = "/usr/lib/systemd/systemd-sysupdate -C";

    /// <summary>Ignition's JSON (specification 3.3.0).</summary>
    public static string Ignition(FirstBootRequest request)
    {
        var config = new JsonObject { ["ignition"] = new JsonObject { ["version"] = IgnitionVersion } };
        foreach (var (key, value) in Body(request, (_, text) => new JsonObject { ["source"] = $"data:;base64,{Convert.ToBase64String(text)}" }))
        {
            config[key] = value;
        }

        return config.ToJsonString(new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n";
    }

    /// <summary>Butane's YAML (variant flatcar, version 1.0.0).</summary>
    public static string Butane(FirstBootRequest request)
    {
        var config = new JsonObject { ["variant"] = "flatcar", ["version"] = "1.0.0" };
        foreach (var (key, value) in Body(request, (isText, bytes) => isText
            ? new JsonObject { ["inline"] = Encoding.UTF8.GetString(bytes) }
            : new JsonObject { ["source"] = $"data:;base64,{Convert.ToBase64String(bytes)}" }))
        {
            config[key] = value;
        }

        return ConfigWriter.Write(ToNode(config));
    }

    private static IEnumerable<(string Key, JsonObject Value)> Body(FirstBootRequest request, Func<bool, byte[], JsonObject> contents)
    {
        JsonObject Text(string path, string text) => new() { ["path"] = path, ["mode"] = Readable, ["contents"] = contents(true, Encoding.UTF8.GetBytes(text)) };
        var (files, links, drops) = (new JsonArray(), new JsonArray(), new JsonArray());
        foreach (var (file, sha256) in request.Files)
        {
            var place = $"{TransferFile.FolderOf(file.Name)}/{file.FileName}";
            files.Add(new JsonObject
            {
                ["path"] = place,
                ["mode"] = Readable,
                ["contents"] = new JsonObject { ["source"] = new Uri(request.Url, Uri.EscapeDataString(file.FileName)).AbsoluteUri, ["verification"] = new JsonObject { ["hash"] = $"sha256-{sha256}" } },
            });
            links.Add(new JsonObject { ["path"] = TransferFile.LinkOf(file.Name, file.Suffix), ["target"] = place, ["hard"] = false });
            foreach (var extension in TransferFile.Extensions)
            {
                files.Add(Text($"/etc/sysupdate.{file.Name}.d/{file.Name}{extension}", TransferFile.Of(file, request.Url, request.Keyring is not null)));
            }

            drops.Add(new JsonObject { ["name"] = $"{file.Name}.conf", ["contents"] = $"[Service]\nExecStartPre=-{Update} {file.Name} update\n" });
        }

        foreach (var extension in TransferFile.Extensions)
        {
            files.Add(Text($"/etc/sysupdate.d/noop{extension}", TransferFile.Noop));
        }

        if (request.Keyring is { } keyring)
        {
            files.Add(new JsonObject { ["path"] = Keyring, ["mode"] = Readable, ["contents"] = contents(false, keyring) });
        }

        drops.Add(new JsonObject { ["name"] = "merge.conf", ["contents"] = "[Service]\nExecStartPost=/usr/bin/systemctl restart systemd-sysext.service\n" });
        yield return ("storage", new JsonObject { ["files"] = files, ["links"] = links });
        yield return ("systemd", new JsonObject
        {
            ["units"] = new JsonArray(
                new JsonObject { ["name"] = "systemd-sysupdate.timer", ["enabled"] = true },
                new JsonObject { ["name"] = "systemd-sysupdate.service", ["dropins"] = drops }),
        });
    }

    private static ConfigNode ToNode(JsonNode node) => node switch
    {
        JsonObject map => new ConfigMap([.. map.Select(entry => new ConfigEntry(Plain(entry.Key), ToNode(entry.Value!)))], Place.Default),
        JsonArray list => new ConfigList([.. list.Select(item => ToNode(item!))], Place.Default),
        // 0644 is easier to read than the decimal number that JSON needs.
        JsonValue value when value.TryGetValue<int>(out var number) => Plain("0" + Convert.ToString(number, 8)),
        JsonValue value when value.TryGetValue<bool>(out var yes) => Plain(yes ? "true" : "false"),
        _ => new ConfigScalar(node.GetValue<string>(), node.GetValue<string>().Contains('\n') ? ScalarStyle.Literal : ScalarStyle.Any, Place.Default),
    };

    private static ConfigScalar Plain(string text) => new(text, ScalarStyle.Plain, Place.Default);
}
