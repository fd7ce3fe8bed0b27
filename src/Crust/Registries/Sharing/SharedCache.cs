using Crust.Attestation;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Registries.Sharing;

/// <summary>
/// A repository that machines share as a cache, in one build. It never fails the build: what goes wrong is warned of once, and then the registry isn't
/// asked any more.
/// </summary>
internal sealed class SharedCache(ToolBox tools, BuildSpec spec, string folder, TimeSpan firstWait, IBuildObserver observer, TimeProvider time) : IDisposable
{
    // What a publish waits for is worth a wait; a build can install in the meantime.
    private const int MostRetries = 2;
    private static readonly TimeSpan LongestStall = TimeSpan.FromMinutes(1);

    // A missing skopeo is told by the host's checks.
    private bool _isOn = spec.Cache is not null && tools.Find(Skopeo.Program) is not null;
    private ScratchFolder? _scratch;
    private Registry? _registry;
    private readonly Dictionary<string, SharedCache> _beside = [];

    /// <summary>Whether it is asked.</summary>
    public bool IsOn => _isOn;

    /// <summary>Its repository, as people write it.</summary>
    public string Name => $"oci://{spec.Cache}";

    public ToolBox Tools => tools;

    /// <summary>Whose signatures are believed.</summary>
    public required CacheTrust Trust { get; init; }

    /// <summary>Signs what is pushed, if the spec says by which key; null for nobody.</summary>
    public Signer? Signer { get; init; }

    public SignSpec Sign => spec.Sign;

    public IBuildObserver Observer => observer;

    /// <summary>A private folder, below the one that the registry's sources are named from.</summary>
    public string Scratch => (_scratch ??= new ScratchFolder(folder)).Path;

    public RegistryReference At(string tag) => new(spec.Cache!, tag);

    /// <summary>Another repository, which may fail by itself.</summary>
    public SharedCache Beside(string repository)
    {
        if (!_beside.TryGetValue(repository, out var other))
        {
            _beside.Add(repository, other = new SharedCache(tools, spec with { Cache = repository }, folder, firstWait, observer, time) { Trust = Trust, Signer = Signer });
        }

        return other;
    }

    /// <summary>Runs an operation; disables the cache on failure.</summary>
    /// <returns>What came of it; null if it failed, or the cache isn't asked.</returns>
    public async Task<T?> TryAsync<T>(Func<Registry, Task<T?>> work)
        where T : class
    {
        if (!_isOn)
        {
            return null;
        }

        try
        {
            return await work(_registry ??= Connect());
        }
        catch (Exception e) when (e is CrustException or IOException or UnauthorizedAccessException)
        {
            _isOn = false;
            Warn(e is CrustException { What: var what, Remedy: var remedy } ? $"{what}; to do: {remedy}" : e.Message);
            return null;
        }
    }

    /// <summary>Warns that the cache, or something in it, isn't used.</summary>
    public void Warn(string why) => observer.Observe(new BuildEvent.Warned($"The cache {Name} isn't used, and the build goes on without it: {why}"));

    /// <summary>Checks that there is room for what will be pulled.</summary>
    /// <exception cref="CrustException">There isn't.</exception>
    /// <exception cref="IOException">Nobody can tell.</exception>
    public static void CheckSpace(string what, long needed, string place, string remedy)
    {
        if (FolderSpace.Of(place).Free is var free && free < needed)
        {
            throw new CrustException(FailureKind.HostLacks, $"There is too little space for {what}: about {Size.Format(needed)} are needed, {Size.Format(free)} are free", place,
                $"free {Size.Format(needed - free)}, {remedy}");
        }
    }

    public void Dispose()
    {
        _scratch?.Dispose();
        foreach (var other in _beside.Values)
        {
            other.Dispose();
        }
    }

    private Registry Connect()
    {
        var how = spec.Publish with
        {
            Retries = Math.Min(spec.Publish.Retries, MostRetries),
            Stall = spec.Publish.Stall < LongestStall ? spec.Publish.Stall : LongestStall,
        };
        return new Registry(new Skopeo(tools, how, Scratch, time), how, firstWait, new Quietly(observer), time);
    }

    /// <summary>Attempts that failed are progress: the last one's failure is warned of.</summary>
    private sealed class Quietly(IBuildObserver observer) : IBuildObserver
    {
        public void Observe(BuildEvent buildEvent) =>
            observer.Observe(buildEvent is BuildEvent.Warned warned ? new BuildEvent.Progressed(Stage.Cache, null, null, warned.Message) : buildEvent);
    }
}
