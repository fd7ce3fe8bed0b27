namespace Crust.Installers.Live;

/// <summary>How large things become on the disk that a live installer writes to (kairos-agent, pkg/config/spec.go: the sizes of its partitions).</summary>
internal static class LiveSizes
{
    private const long MiB = 1L << 20;
    private const long Efi = 64 * MiB;
    private const long Oem = 64 * MiB;
    private const long MoreOfRecovery = 200 * MiB;
    private const long MoreOfState = 1000 * MiB;

    // What a system writes beside its content before somebody looks.
    private const long LeastOfPersistent = 1024 * MiB;

    /// <summary>The smallest disk in bytes: boot and OEM partitions, recovery, state with an active and a passive image and one in transition, and the persistent one
    /// with the content.</summary>
    /// <param name="content">The content bundles' bytes.</param>
    public static long MinimumDisk(LiveFacts facts, long content)
    {
        // File systems have more to write down than the files.
        var image = RoundUp(facts.RootBytes + (facts.RootBytes / 10));
        var (recovery, state) = ((2 * image) + MoreOfRecovery, (3 * image) + MoreOfState);
        return Efi + Oem + recovery + state + LeastOfPersistent + RoundUp(content);
    }

    private static long RoundUp(long bytes) => (bytes + MiB - 1) / MiB * MiB;
}
