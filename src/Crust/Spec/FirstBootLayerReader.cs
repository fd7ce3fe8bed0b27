using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Crust.Storage;

namespace Crust.Spec;

/// <summary>Reads `firstBoot` entries of `layers`: `{ repository, commit, nodes, … }`.</summary>
internal static partial class FirstBootLayerReader
{
    public const string Kind = "firstBoot";

    // Where the path of a token on the node's own disk is, unless the spec names another one.
    private const string UsualToken = "/etc/crust/join-token";

    private static readonly ImmutableArray<string> Keys = ["repository", "commit", "branch", "sha256", "key", "knownHosts", "nodes", "copy", "patience", "token", "webhook"];
    private static readonly ImmutableArray<string> Pins = ["commit", "branch", "sha256"];

    // Without a repository, these are for nothing.
    private static readonly ImmutableArray<string> OfRepository = [.. Pins, "key", "knownHosts"];

    public static LayerSpec.FirstBoot Read(YamlMapping entry, string folder)
    {
        var keys = entry.Mapping(Kind) ?? throw entry.Wrong(Kind, "A firstBoot layer says nothing", "write firstBoot: { repository: URL, commit: COMMIT, nodes: nodes.yaml }");
        string? PathOf(string key) => keys.Text(key) is { } path ? LayerType.PathOf(keys, key, path, folder) : null;
        var layer = new LayerSpec.FirstBoot(LayerType.PathOf(keys, "nodes", keys.Required("nodes"), folder))
        {
            Where = entry.Where,
            Repository = RepositoryOf(keys),
            Commit = CommitOf(keys),
            Branch = BranchOf(keys),
            Sha256 = SumOf(keys),
            Key = PathOf("key"),
            KnownHosts = PathOf("knownHosts"),
            Copy = PathOf("copy"),
            Patience = PatienceOf(keys),
            Token = TokenOf(keys),
            Webhook = WebhookOf(keys),
        };
        keys.End();
        Check(keys, layer);
        return layer;
    }

    public static JsonObject Schema() => new()
    {
        ["type"] = "object",
        ["required"] = new JsonArray("nodes"),
        ["additionalProperties"] = false,
        ["properties"] = new JsonObject([.. Keys.Select(key => KeyValuePair.Create(key, (JsonNode?)new JsonObject { ["type"] = "string" }))]),
    };

    private static void Check(YamlMapping keys, LayerSpec.FirstBoot layer)
    {
        var pins = Pins.Where(keys.Keys.Contains).ToList();
        if (layer.Repository is null)
        {
            if (layer.Copy is null)
            {
                throw keys.Wrong("nodes", "There is neither a repository nor a copy of one, and so no setup.sh", "write repository: URL and its commit:, or copy: FOLDER");
            }

            if (OfRepository.FirstOrDefault(keys.Keys.Contains) is { } idle)
            {
                throw keys.Wrong(idle, $"There is no repository that the {idle} could be for", "write repository: URL, or leave it out");
            }

            return;
        }

        if (pins.Count != 1)
        {
            throw keys.Wrong(pins.Count == 0 ? "repository" : pins[1], pins.Count == 0 ? "Nothing says what of the repository is to run" : $"{pins[0]} and {pins[1]} both say what of the repository is to run",
                "write commit: and the 40 hex digits of git rev-parse HEAD; sha256: for a tarball; or branch: with the key: that signs its commits");
        }

        if (layer is { Branch: not null, Key: null })
        {
            throw keys.Wrong("branch", "A branch is whatever somebody pushes to it, and nothing says whose commits may run", "name the public key that signs them in key:, or pin a commit:");
        }

        if (layer is { Sha256: not null, Key: not null })
        {
            throw keys.Wrong("key", "A tarball is known by its sha256, and no signature of it is looked for", "leave out the key");
        }

        if (IsSsh(layer.Repository) && (layer.KnownHosts is null || layer.Sha256 is not null))
        {
            throw layer.Sha256 is not null ? keys.Wrong("repository", "A tarball doesn't come by ssh", "write its https URL")
                : keys.Wrong("repository", "Nothing says by which key the node knows the ssh server", "name a file in knownHosts:, as ssh-keyscan HOST writes it, after comparing its keys with the server's");
        }
    }

    private static string? RepositoryOf(YamlMapping keys)
    {
        if (keys.Text("repository") is not { } text)
        {
            return null;
        }

        return !RepositoryForm().IsMatch(text) ? throw keys.Wrong("repository", $"'{text}' is no https or ssh address of a repository", "write https://host/path.git, ssh://git@host/path.git or git@host:path.git")
            : LoginForm().IsMatch(text) ? throw keys.Wrong("repository", "The repository's URL holds a log-in, which everybody who has the image would have", "serve it without one, or by ssh with a key of the node's own in /etc/crust/ssh-key")
            : text;
    }

    private static string? CommitOf(YamlMapping keys) => keys.Text("commit") is not { } text ? null
        : CommitForm().IsMatch(text) ? text.ToLowerInvariant()
        : throw keys.Wrong("commit", $"'{text}' isn't a whole commit", "write the 40 hex digits of git rev-parse HEAD, in quotes if they are all digits; a short one or a tag may become another commit's");

    private static string? BranchOf(YamlMapping keys) => keys.Text("branch") is not { } text ? null
        : BranchForm().IsMatch(text) && !text.Contains("..") && !text.Contains("//") && !text.EndsWith('/') && !text.EndsWith(".lock", StringComparison.Ordinal) ? text
        : throw keys.Wrong("branch", $"'{text}' can't be a branch's name", "write it as git branch shows it");

    private static string? SumOf(YamlMapping keys) => keys.Text("sha256") is not { } text ? null
        : Checksum.ValueOf(text) ?? throw keys.Wrong("sha256", $"'{text}' is no SHA-256", "write the 64 hex digits that sha256sum has for the tarball");

    private static TimeSpan PatienceOf(YamlMapping keys) => keys.Text("patience") is not { } text ? LayerSpec.FirstBoot.UsualPatience
        : Duration.TryParse(text, out var patience) ? patience : throw keys.Wrong("patience", $"'{text}' is no length of time", $"write {Duration.Looks}");

    private static string TokenOf(YamlMapping keys) => keys.Text("token") is not { } text ? UsualToken
        : TokenForm().IsMatch(text) && !text.Split('/').Contains("..") ? text
        : throw keys.Wrong("token", "The token isn't named by a path on the node", $"write an absolute path, such as {UsualToken}, and have the node's own seed put the token there: an image is no place for one");

    private static string? WebhookOf(YamlMapping keys) => keys.Text("webhook") is not { } text ? null
        : WebhookForm().IsMatch(text) ? text : throw keys.Wrong("webhook", "The webhook is no http(s) URL", "write one without spaces and quotes, such as https://hooks.example.org/first-boot");

    /// <summary>Whether git asks ssh for a repository.</summary>
    private static bool IsSsh(string repository) => !repository.StartsWith("https://", StringComparison.Ordinal);

    // No quote, no blank and no character that a shell or curl's configuration could take for more than itself.
    [GeneratedRegex(@"\A(https://[A-Za-z0-9@._~:/?&=%+\[\]-]+|ssh://[A-Za-z0-9@._~:/%+\[\]-]+|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[A-Za-z0-9._~/+-]+)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex RepositoryForm();

    [GeneratedRegex(@"\Ahttps://[^/]*@|\Assh://[^/@]*:[^/@]*@")]
    private static partial Regex LoginForm();

    [GeneratedRegex(@"\A([0-9a-fA-F]{40}|[0-9a-fA-F]{64})\z", RegexOptions.ExplicitCapture)]
    private static partial Regex CommitForm();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}\z")]
    private static partial Regex BranchForm();

    [GeneratedRegex(@"\A(/[A-Za-z0-9._+-]+)+\z")]
    private static partial Regex TokenForm();

    [GeneratedRegex(@"\Ahttps?://[A-Za-z0-9@._~:/?&=%+\[\]-]+\z")]
    private static partial Regex WebhookForm();
}
