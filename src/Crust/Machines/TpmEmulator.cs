using Crust.Tools;

namespace Crust.Machines;

/// <summary>A machine's TPM 2.0: swtpm, with a fresh state in the machine's private folder.</summary>
internal static class TpmEmulator
{
    public const string Program = "swtpm";

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(10);

    /// <summary>Starts it; when this returns, it listens on its socket.</summary>
    /// <param name="tools">Starts swtpm.</param>
    /// <param name="socket">Where it is to listen, in the machine's private folder.</param>
    /// <exception cref="ToolMissingException">swtpm isn't installed.</exception>
    /// <exception cref="CrustException">It didn't start; what it said is in the message.</exception>
    public static async Task<RunningTool> StartAsync(ToolBox tools, string socket, CancellationToken cancellation)
    {
        var folder = Path.GetDirectoryName(socket)!;
        Directory.CreateDirectory(Path.Combine(folder, "tpm-state"));
        // Relative paths: in its options a comma can't be escaped.
        var swtpm = tools.Start(ToolCommand.Of(Program,
            "socket", "--tpm2", "--tpmstate", "dir=tpm-state", "--ctrl", $"type=unixio,path={Path.GetFileName(socket)}", "--pid", "file=tpm.pid") with
        { WorkingDirectory = folder });
        try
        {
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            timeout.CancelAfter(StartTimeout);
            // It writes the file once it listens.
            while (!File.Exists(Path.Combine(folder, "tpm.pid")) && !swtpm.Ended.IsCompleted)
            {
                await Task.Delay(LookInterval, timeout.Token);
            }

            return !swtpm.Ended.IsCompleted ? swtpm : throw Refused((await swtpm.Ended).Error.Trim(), swtpm);
        }
        catch (Exception e)
        {
            await swtpm.DisposeAsync();
            if (e is OperationCanceledException && !cancellation.IsCancellationRequested)
            {
                throw Refused("it never listened", swtpm);
            }

            throw;
        }
    }

    private static CrustException Refused(string why, RunningTool swtpm) => new(FailureKind.HostLacks, $"swtpm, the machine's TPM, didn't start: {why}", swtpm.ToString(),
        "mend what swtpm complains about, or leave out machine.tpm");
}
