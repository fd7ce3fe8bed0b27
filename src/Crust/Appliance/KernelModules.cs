namespace Crust.Appliance;

/// <summary>Finds the files of kernel modules and of all that they depend on, by depmod's `modules.dep`.</summary>
internal sealed class KernelModules
{
    private readonly Dictionary<string, (string Path, string[] Needs)> _byName = [];
    private readonly HashSet<string> _builtIn;

    /// <param name="dependencies">The text of `modules.dep`.</param>
    /// <param name="builtIn">The text of `modules.builtin`.</param>
    public KernelModules(string dependencies, string builtIn)
    {
        foreach (var line in dependencies.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(':');
            var path = line[..colon];
            _byName[NameOf(path)] = (path, line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        _builtIn = [.. builtIn.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(NameOf)];
    }

    /// <summary>
    /// The paths, relative to the folder of `modules.dep`, of the wanted modules and of what they need; sorted, each once.
    /// A name that ends with `/` stands for all modules in that folder below `kernel/`. What is built into the kernel needs no file.
    /// </summary>
    /// <exception cref="CrustException">The kernel has no such module.</exception>
    public IReadOnlyList<string> Resolve(IEnumerable<string> wanted)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var name in wanted)
        {
            if (name.EndsWith('/'))
            {
                foreach (var module in _byName.Values.Where(module => module.Path.StartsWith($"kernel/{name}", StringComparison.Ordinal)))
                {
                    Add(module, found);
                }
            }
            else if (_byName.TryGetValue(NameOf(name), out var module))
            {
                Add(module, found);
            }
            else if (!_builtIn.Contains(NameOf(name)))
            {
                throw new CrustException(FailureKind.BadInput, $"The kernel has no module '{name}'", "builder/appliance/modules.list",
                    "correct the name, or take it off the list");
            }
        }

        return [.. found];
    }

    // modules.dep names all that a module needs, not just the next ones: there is nothing to follow.
    private static void Add((string Path, string[] Needs) module, SortedSet<string> found)
    {
        found.Add(module.Path);
        found.UnionWith(module.Needs);
    }

    // The kernel takes - and _ in a module's name for the same.
    private static string NameOf(string path)
    {
        var file = path[(path.LastIndexOf('/') + 1)..];
        var end = file.IndexOf(".ko", StringComparison.Ordinal);
        return (end < 0 ? file : file[..end]).Replace('-', '_');
    }
}
