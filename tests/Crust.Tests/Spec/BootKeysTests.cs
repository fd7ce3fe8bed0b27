using Crust.Spec;

namespace Crust.Tests.Spec;

/// <summary>Packer's notation, as its documentation of boot_command has it.</summary>
public sealed class BootKeysTests
{
    private static IEnumerable<TestCaseData> Texts =>
    [
        new("aZ 5", new KeyStep[] { Press("a"), Press("shift", "z"), Press("spc"), Press("5") }),
        new("<enter><return><esc><tab><f1><F12><spacebar>", new KeyStep[] { Press("ret"), Press("ret"), Press("esc"), Press("tab"), Press("f1"), Press("f12"), Press("spc") }),
        new("<bs><del><pageUp><pageDown><home>", new KeyStep[] { Press("backspace"), Press("delete"), Press("pgup"), Press("pgdn"), Press("home") }),
        new("<leftCtrlOn>x<leftCtrlOff>", new KeyStep[] { new KeyStep.Hold("ctrl", true), Press("x"), new KeyStep.Hold("ctrl", false) }),
        new("<rightAltOn><rightAltOff>", new KeyStep[] { new KeyStep.Hold("alt_r", true), new KeyStep.Hold("alt_r", false) }),
        new("<wait><wait2><wait3s><wait1m30s><wait250ms><wait1h>", new KeyStep[] { Wait(1), Wait(2), Wait(3), Wait(90), Wait(0.25), Wait(3600) }),
        new("_:\"~|?>", new KeyStep[] { Press("shift", "minus"), Press("shift", "semicolon"), Press("shift", "apostrophe"), Press("shift", "grave_accent"), Press("shift", "backslash"), Press("shift", "slash"), Press("shift", "dot") }),
        new("a < b", new KeyStep[] { Press("a"), Press("spc"), Press("shift", "comma"), Press("spc"), Press("b") }),
        new("", Array.Empty<KeyStep>()),
    ];

    [TestCaseSource(nameof(Texts))]
    public void A_text_is_the_keys_that_give_it(string text, object steps) => Assert.That(BootKeys.Parse([text]), Is.EqualTo(steps));

    [Test]
    public void Several_texts_follow_one_another() => Assert.That(BootKeys.Parse(["a", "<enter>"]), Is.EqualTo(new[] { Press("a"), Press("ret") }));

    [TestCase("<entre>", "<entre> is no key")]
    [TestCase("<f13>", "<f13> is no key")]
    [TestCase("<wait5x>", "<wait5x> is no key")]
    [TestCase("<aOn>", "<aOn> is no key")]
    [TestCase("größe", "'ö' is on no key of an American keyboard")]
    public void What_no_key_gives_is_told(string text, string message) =>
        Assert.That(() => BootKeys.Parse([text]), Throws.InstanceOf<FormatException>().With.Message.EqualTo(message));

    [Test]
    public void Every_printable_character_of_ASCII_can_be_typed() =>
        Assert.That(() => BootKeys.Parse([string.Concat(Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c))]), Throws.Nothing);

    private static KeyStep.Press Press(params string[] keys) => new([.. keys]);

    private static KeyStep.Wait Wait(double seconds) => new(TimeSpan.FromSeconds(seconds));
}
