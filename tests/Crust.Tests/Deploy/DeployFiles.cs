using Crust.Spec;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog.Core;
using YamlDotNet.RepresentationModel;

namespace Crust.Tests.Deploy;

/// <summary>What `deploy/` has for teams: files, and what kubectl makes of its kustomizations.</summary>
internal static class DeployFiles
{
    /// <summary>All kustomizations.</summary>
    public static readonly string[] Kustomizations = ["kubernetes/base", "kubernetes/overlays/example", "kubernetes/overlays/without-kvm", Bakery, Fleet, "flux"];

    /// <summary>The Job that builds system extensions.</summary>
    public const string Bakery = "kubernetes/bakery";

    /// <summary>The Job that makes nodes' files.</summary>
    public const string Fleet = "kubernetes/fleet";

    public const string GitHubExtensions = "github/extensions.yml";

    public const string GitHubUpdate = "github/extensions-update.yml";

    public const string GitHubRelease = "github/release.yml";

    public const string GitLabExtensions = "gitlab/extensions.gitlab-ci.yml";

    public const string GitHub = "github/edge-images.yml";

    public const string GitLab = "gitlab/edge-images.gitlab-ci.yml";

    public const string ArgoCd = "argocd/application.yaml";

    public static ToolBox Tools { get; } = new(HostEnvironment.Read().SearchPath, Logger.None) { Environment = HostEnvironment.Read().Variables };

    public static string PathOf(string name) => RepositoryFile.PathOf($"deploy/{name}");

    public static string Read(string name) => File.ReadAllText(PathOf(name));

    /// <summary>What `kubectl kustomize` renders.</summary>
    public static async Task<string> RenderAsync(string folder, CancellationToken cancellation) =>
        (await Tools.RunAsync(ToolCommand.Of("kubectl", "kustomize", PathOf(folder)), cancellation)).Output;

    /// <summary>The objects among YAML documents.</summary>
    public static IReadOnlyList<YamlMappingNode> Objects(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return [.. stream.Documents.Select(document => (YamlMappingNode)document.RootNode)];
    }

    /// <summary>The object of a kind, whose name begins as given.</summary>
    public static YamlMappingNode Object(this IEnumerable<YamlMappingNode> objects, string kind, string name = "") =>
        objects.Single(one => one.Text("kind") == kind && one.Text("metadata", "name")!.StartsWith(name, StringComparison.Ordinal));

    /// <summary>The node at a path of keys and indexes; null if there is none.</summary>
    public static YamlNode? At(this YamlNode node, params object[] path) => path.Aggregate((YamlNode?)node, (here, key) => (here, key) switch
    {
        (YamlMappingNode map, string name) => map.Children.FirstOrDefault(pair => ((YamlScalarNode)pair.Key).Value == name).Value,
        (YamlSequenceNode list, int index) => index < list.Children.Count ? list.Children[index] : null,
        _ => null,
    });

    public static string? Text(this YamlNode node, params object[] path) => (node.At(path) as YamlScalarNode)?.Value;

    /// <summary>The members of a list, or none.</summary>
    public static IReadOnlyList<YamlNode> Items(this YamlNode node, params object[] path) => node.At(path) is YamlSequenceNode list ? [.. list] : [];

    /// <summary>The pairs of a map whose values are text.</summary>
    public static IReadOnlyDictionary<string, string> Pairs(this YamlNode node, params object[] path) => node.At(path) is YamlMappingNode map
        ? map.Children.ToDictionary(pair => ((YamlScalarNode)pair.Key).Value!, pair => ((YamlScalarNode)pair.Value).Value!)
        : new Dictionary<string, string>();

    /// <summary>The keys of a map.</summary>
    public static IEnumerable<string> Keys(this YamlNode node, params object[] path) => node.At(path) is YamlMappingNode map ? map.Children.Keys.Select(key => ((YamlScalarNode)key).Value!) : [];
}
