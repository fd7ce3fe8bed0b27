using Crust.Spec;
using Crust.Tests.Registries;
using Crust.Trees;

namespace Crust.Tests.Machine.Providers;

/// <summary>Images of one layer in a registry that wants a login.</summary>
internal static class PushedImage
{
    /// <summary>Pushes an index of an image for each architecture.</summary>
    public static async Task PushAsync(LocalRegistry registry, string name, Func<Arch, FileTree> tree)
    {
        var layers = new List<(Arch, string[])>();
        var folder = Directory.CreateTempSubdirectory("crust-pushed-").FullName;
        try
        {
            foreach (var arch in Enum.GetValues<Arch>())
            {
                var path = Path.Combine(folder, $"{arch}.tar");
                await using (var file = File.Create(path))
                {
                    await tree(arch).WriteTarAsync(file, 0, CancellationToken.None);
                }

                layers.Add((arch, [path]));
            }

            var layout = OciSample.Write(Path.Combine(folder, "layout"), [.. layers]);
            await Host.RunAsync("skopeo", ["--insecure-policy", "copy", "--multi-arch", "all", "--dest-tls-verify=false", "--dest-creds", LocalRegistry.Login, $"oci:{layout}",
                $"docker://{registry.Host}/{name}"], CancellationToken.None);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
