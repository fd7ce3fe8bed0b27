using Crust.Tools;

namespace Crust.Cli;

/// <summary>Standard output, on which results are printed. Who asked for a result and can't be given it has to know.</summary>
internal static class ResultWriter
{
    /// <summary>A writer whose failure is the command's.</summary>
    /// <param name="inner">Standard output.</param>
    /// <param name="before">Called before each write: messages that came first are to be seen first.</param>
    public static TextWriter Of(TextWriter inner, Action before) => new GuardedWriter(inner, before, e => throw new CrustException(
        FailureKind.InputOutput, $"The result can't be printed: {HostFault.ReasonOf(e)}", "standard output",
        "redirect it to a file or a program that takes it; what the command has written elsewhere is there all the same", e));
}
