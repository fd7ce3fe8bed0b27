using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Crust.Tests.Spec;
using Crust.Tools;

namespace Crust.Tests.Deploy;

/// <summary>A document to check.</summary>
/// <param name="Kind">`kubernetes` (also Flux and Argo CD), `github` or `gitlab`.</param>
/// <param name="Name">What errors call it.</param>
/// <param name="Text">YAML.</param>
internal sealed record DeployDocument(string Kind, string Name, string Text);

/// <summary>
/// The schemas that Kubernetes, Flux, Argo CD, GitHub and GitLab publish, as npm packages that tests/schemas pins with checksums. They are installed once into .build/, and again when they change.
/// </summary>
internal static class PublishedSchemas
{
    private static readonly JsonSerializerOptions CamelCase = new(JsonSerializerDefaults.Web);

    /// <summary>What is wrong with each document.</summary>
    public static async Task<IReadOnlyList<string[]>> CheckAsync(IReadOnlyList<DeployDocument> documents, CancellationToken cancellation)
    {
        var packages = await InstallAsync(cancellation);
        var result = await DeployFiles.Tools.RunAsync(ToolCommand.Of("node", RepositoryFile.PathOf("tests/schemas/check.mjs")) with
        {
            Input = JsonSerializer.Serialize(documents, CamelCase),
            Environment = ImmutableDictionary<string, string>.Empty.Add("CRUST_SCHEMAS", packages),
        }, cancellation);
        return JsonSerializer.Deserialize<string[][]>(result.Output)!;
    }

    private static async Task<string> InstallAsync(CancellationToken cancellation)
    {
        var source = RepositoryFile.PathOf("tests/schemas");
        var pins = await File.ReadAllBytesAsync(Path.Combine(source, "package-lock.json"), cancellation);
        var target = RepositoryFile.PathOf($".build/schemas/{Convert.ToHexStringLower(SHA256.HashData(pins))[..12]}");
        if (Directory.Exists(target))
        {
            return target;
        }

        var draft = $"{target}.{Guid.NewGuid():N}";
        Directory.CreateDirectory(draft);
        foreach (var file in new[] { "package.json", "package-lock.json" })
        {
            File.Copy(Path.Combine(source, file), Path.Combine(draft, file));
        }

        try
        {
            // Nothing of a package is run while it is installed.
            await DeployFiles.Tools.RunAsync(ToolCommand.Of("npm", "ci", "--prefix", draft, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error") with
            {
                // npm is told by variables, too, where its registry is and whose certificates it trusts.
                Inherits = [.. DeployFiles.Tools.Environment.Keys],
            }, cancellation);
            Directory.Move(draft, target);
        }
        catch (CrustException e)
        {
            Directory.Delete(draft, recursive: true);
            Assert.Fail($"The published schemas can't be installed, and without them deploy/ isn't checked: {e.Message}");
        }
        catch (IOException) when (Directory.Exists(target))
        {
            // Another run was first.
            Directory.Delete(draft, recursive: true);
        }

        return target;
    }
}
