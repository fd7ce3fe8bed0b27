using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crust.Spec;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>
/// The files of a `k3s` layer: what makes a machine a node on its first boot, as its user-data says (builder/k3s/k3s-node), and what lets each of its users read the kube config.
/// k3s itself comes by its recipe, whose units stay disabled until then.
/// </summary>
internal static class K3sTree
{
    /// <summary>k3s itself, without which nothing would read what this layer brings.</summary>
    public const string Program = "/usr/local/bin/k3s";

    /// <summary>Where the image says what a node is to be, where nobody else does.</summary>
    public const string Defaults = "etc/crust/k3s.json";

    private const string KubeConfig = "/etc/rancher/k3s/k3s.yaml";
    private const string Units = "usr/lib/systemd/system";
    private const string Wanted = "etc/systemd/system/multi-user.target.wants";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <exception cref="CrustException">A part of Crust is missing.</exception>
    public static FileTree Of(LayerSpec.K3s k3s)
    {
        ImmutableArray<string> enabled = ["crust-k3s.service", "crust-kubeconfig-users.service", "crust-kubeconfig-users.path"];
        return FileTree.Empty.With([
            Part("k3s-node", "usr/lib/crust", TreeEntry.Executable),
            Part("kubeconfig-users", "usr/lib/crust", TreeEntry.Executable),
            Part("crust-kubeconfig.conf", "usr/lib/sysusers.d"),
            Part("crust-kubeconfig.sh", "etc/profile.d"),
            .. enabled.Select(unit => Part(unit, Units)),
            .. enabled.Select(unit => TreeEntry.Symlink($"{Wanted}/{unit}", $"/{Units}/{unit}")),
            // What useradd, and so cloud-init, copies into each new home. Elsewhere than on servers it leads nowhere.
            TreeEntry.Symlink("etc/skel/.kube/config", KubeConfig),
            // systemd sets the clock to this file's time where it is earlier (systemd(1), "/usr/lib/clock-epoch"): a Pi has none, and k3s refuses a time before 1980.
            TreeEntry.File("usr/lib/clock-epoch", TreeContent.Empty),
            TreeEntry.File(Defaults, TreeContent.Of(DefaultsOf(k3s).ToJsonString(Indented) + "\n")),
        ]);
    }

    private static JsonObject DefaultsOf(LayerSpec.K3s k3s)
    {
        var node = new JsonObject();
        Add(node, "role", k3s.Role);
        Add(node, "url", k3s.Url);
        Add(node, "tokenFile", k3s.TokenFile);
        if (!k3s.Options.IsEmpty)
        {
            node["config"] = new JsonObject(k3s.Options.Select(option => KeyValuePair.Create(option.Key,
                option.Value is [var one] ? (JsonNode?)one : new JsonArray([.. option.Value.Select(value => (JsonNode)value)]))));
        }

        var defaults = new JsonObject { ["k3s"] = node };
        if (k3s.Flux is { } flux)
        {
            defaults["flux"] = new JsonObject { ["repository"] = flux.Repository, ["branch"] = flux.Branch, ["path"] = flux.Path };
        }

        return defaults;
    }

    private static void Add(JsonObject node, string key, string? value)
    {
        if (value is not null)
        {
            node[key] = value;
        }
    }

    private static TreeEntry Part(string name, string folder, UnixFileMode mode = TreeEntry.Readable)
    {
        var path = Path.Combine(Folders.BuilderBesideProgram, "k3s", name);
        try
        {
            return TreeEntry.File($"{folder}/{name}", TreeContent.Of(File.ReadAllBytes(path)), mode);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.HostLacks, "A part of Crust is missing", path, "install Crust anew: its folder builder/ belongs beside the program", e);
        }
    }
}
