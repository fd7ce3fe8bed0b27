using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>Reads `k3s` entries of `layers`: what a node is to be where its user-data doesn't say otherwise. Tokens have no place there: whoever has an image would join with them.</summary>
internal static partial class K3sLayerReader
{
    public const string Kind = "k3s";

    private static readonly ImmutableArray<string> Roles = ["cluster", "server", "agent"];

    // Options of k3s whose values open something.
    private static readonly ImmutableArray<string> Secrets = ["token", "agent-token", "datastore-endpoint", "etcd-s3-secret-key", "etcd-s3-session-token", "vpn-auth"];

    public static LayerSpec.K3s Read(YamlMapping entry)
    {
        var k3s = entry.Mapping(Kind) ?? throw entry.Wrong(Kind, "A layer k3s says nothing", "write k3s: { role: cluster }, or k3s: {} where user-data says the role");
        if (k3s.Keys.Contains("token"))
        {
            throw k3s.Wrong("token", "A layer gives no token: anyone who has the image could join the cluster", "give it in each node's user-data (k3s: { token: … }), or name a file of the node's in tokenFile");
        }

        var role = k3s.Text("role");
        if (role is not null && !Roles.Contains(role))
        {
            throw k3s.Wrong("role", $"'{role}' is no role of a k3s node", Nearest.Suggest(role, Roles));
        }

        var url = k3s.Text("url");
        if (url is not null && !UrlPattern().IsMatch(url))
        {
            throw k3s.Wrong("url", $"'{url}' is no address of a k3s server", "write https://, its name or address, and its port: https://10.0.0.10:6443");
        }

        if (url is not null && role is "cluster")
        {
            throw k3s.Wrong("url", "A url is the server that others join, and role cluster is the first server", "leave url out, or set role to server or agent");
        }

        var tokenFile = k3s.Text("tokenFile");
        if (tokenFile is not null && !PathPattern().IsMatch(tokenFile))
        {
            throw k3s.Wrong("tokenFile", $"'{tokenFile}' is no file on the node", "write an absolute path, such as /boot/firmware/k3s-token");
        }

        var layer = new LayerSpec.K3s(role, url, tokenFile, ConfigOf(k3s), FluxOf(k3s)) { Where = entry.Where };
        k3s.End();
        return layer;
    }

    public static JsonObject Schema()
    {
        static JsonObject Text() => new() { ["type"] = "string" };
        return new JsonObject
        {
            ["type"] = "object",
            ["additionalProperties"] = false,
            ["properties"] = new JsonObject
            {
                ["role"] = new JsonObject { ["enum"] = new JsonArray([.. Roles.Select(role => (JsonNode)role)]) },
                ["url"] = Text(),
                ["tokenFile"] = Text(),
                ["config"] = new JsonObject { ["type"] = "object" },
                ["flux"] = new JsonObject
                {
                    ["type"] = "object",
                    ["required"] = new JsonArray("repository"),
                    ["additionalProperties"] = false,
                    ["properties"] = new JsonObject { ["repository"] = Text(), ["branch"] = Text(), ["path"] = Text() },
                },
            },
        };
    }

    // k3s takes each value as that of an option, whatever YAML makes of it.
    private static ImmutableSortedDictionary<string, ImmutableArray<string>> ConfigOf(YamlMapping k3s)
    {
        if (k3s.Mapping("config") is not { } config)
        {
            return ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty;
        }

        if (config.Keys.FirstOrDefault(Secrets.Contains) is { } secret)
        {
            throw config.Wrong(secret, $"A layer gives no secrets, and {secret} is one: anyone who has the image would have it", "give it in each node's user-data: k3s: { config: … }");
        }

        if (config.Keys.FirstOrDefault(key => !OptionPattern().IsMatch(key)) is { } wrong)
        {
            throw config.Wrong(wrong, $"'{wrong}' can't be an option of k3s", "write options as in k3s' config.yaml, without dashes in front: disable: [traefik]");
        }

        return config.Keys.ToImmutableSortedDictionary(key => key, config.Texts, StringComparer.Ordinal);
    }

    private static K3sFlux? FluxOf(YamlMapping k3s)
    {
        if (k3s.Mapping("flux") is not { } flux)
        {
            return null;
        }

        var repository = flux.Required("repository");
        if (!RepositoryPattern().IsMatch(repository))
        {
            throw flux.Wrong("repository", "This is no repository that Flux follows, or holds a login", "write an https:// or ssh:// URL; a login belongs into a secret of the cluster");
        }

        var made = new K3sFlux(repository, flux.Text("branch") ?? "main", flux.Text("path") ?? "./");
        flux.End();
        return made;
    }

    [GeneratedRegex(@"\Ahttps://[A-Za-z0-9.:\[\]-]+/?\z")]
    private static partial Regex UrlPattern();

    [GeneratedRegex(@"\A(/[A-Za-z0-9._+-]+)+\z")]
    private static partial Regex PathPattern();

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,63}\+?\z")]
    private static partial Regex OptionPattern();

    [GeneratedRegex(@"\A(https://[^@\s/]+|ssh://[^:\s/]+)(/\S*)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex RepositoryPattern();
}
