using Crust.Content;

namespace Crust.Media;

/// <summary>How large things become on the disk that a live installer writes to.</summary>
internal static class LiveSizes
{
    private const long MiB = 1L << 20;

    // What a system writes beside its content before somebody looks.
    private const long LeastOfPersistent = 1024 * MiB;

    /// <summary>The smallest disk in bytes: what the system and content need, as <see cref="TargetSize"/> has it, and room to start.</summary>
    public static long MinimumDisk(LiveFacts facts, MediumPlan medium) => RoundUp(TargetSize.OfSystem(ImageOf(facts)) + TargetSize.OfContent(medium.ContentBytes) + LeastOfPersistent);

    // File systems have more to write down than the files.
    private static long ImageOf(LiveFacts facts) => RoundUp(facts.RootBytes + (facts.RootBytes / 10));

    private static long RoundUp(long bytes) => (bytes + MiB - 1) / MiB * MiB;
}
