"""`vaultsigner completion`: scripts that have a shell ask this program what could come next."""

import os
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

from vaultsigner.cli.lazy_group import COMPLETE_VARIABLE

_HOW = {
    "bash": """\
# vaultsigner for bash: Tab completes commands, options, files, and the names in config.yml and policies/.
#
#   now, in this shell       eval "$(vaultsigner completion bash)"
#   for you, from now on     mkdir -p ~/.local/share/bash-completion/completions
#                            vaultsigner completion bash >~/.local/share/bash-completion/completions/vaultsigner
#   for everybody            vaultsigner completion bash | sudo tee /etc/bash_completion.d/vaultsigner >/dev/null
""",
    "zsh": """\
# vaultsigner for zsh: Tab completes commands, options, files, and the names in config.yml and policies/.
#
#   now, in this shell       source <(vaultsigner completion zsh)      (after: autoload -Uz compinit; compinit)
#   for you, from now on     mkdir -p ~/.zfunc; vaultsigner completion zsh >~/.zfunc/_vaultsigner
#                            and in ~/.zshrc, before compinit: fpath+=(~/.zfunc)
""",
    "fish": """\
# vaultsigner for fish: Tab completes commands, options, files, and the names in config.yml and policies/.
#
#   now, in this shell       vaultsigner completion fish | source
#   for you, from now on     vaultsigner completion fish >~/.config/fish/completions/vaultsigner.fish
""",
}


class LineComplete(BashComplete):
    """Bash splits words at colons and equal signs, and completes the last part alone; we look at the line itself.

    So `user:s` becomes `user:sam`, and not `user:user:sam`. Works in every bash since 3.2.
    """

    source_template = """\
%(complete_func)s() {
    local IFS=$'\\n' line kind value
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case $kind in
            plain) COMPREPLY+=("$value") ;;
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
        esac
    done < <(COMP_LINE="${COMP_LINE:0:$COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null || complete -F %(complete_func)s %(prog_name)s
"""

    def source(self) -> str:
        """The script, whatever bash is installed where it is printed."""
        return self.source_template % self.source_vars()

    def get_completion_args(self) -> tuple[list[str], str]:
        """The whole words, and the one that is being typed; without a line, the words that bash cut, as Click asks for them."""
        line = os.environ.get("COMP_LINE")
        if line is None:
            return super().get_completion_args() if "COMP_WORDS" in os.environ else ([], "")
        words = split_arg_string(line)
        incomplete = "" if line[-1:].isspace() or not words else words.pop()
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """What bash puts in place of the part that it looks at."""
        _, incomplete = self.get_completion_args()
        option, equals, _ = incomplete.partition("=")
        whole = f"{option}=" * (option.startswith("--") and bool(equals)) + str(item.value)
        breaks = [mark for mark in ":=" if mark in os.environ.get("COMP_BREAKS", "")]
        done = max((incomplete.rfind(mark) + 1 for mark in breaks), default=0)
        return f"{item.type},{whole[done:]}"


class QuietZshComplete(ZshComplete):
    """Click's own, without anything said in the middle of a line that is typed."""

    source_template = ZshComplete.source_template.replace(
        "zsh_complete %(prog_name)s", "zsh_complete %(prog_name)s 2>/dev/null"
    )


class QuietFishComplete(FishComplete):
    """As for zsh; descriptions may have commas."""

    source_template = FishComplete.source_template.replace(
        "-t) %(prog_name)s", "-t) %(prog_name)s 2>/dev/null"
    ).replace('string split ","', 'string split -m 1 ","')


COMPLETIONS: dict[str, type[ShellComplete]] = {
    "bash": LineComplete,
    "zsh": QuietZshComplete,
    "fish": QuietFishComplete,
}
for _shell, _completion in COMPLETIONS.items():
    add_completion_class(_completion, _shell)


@click.command()
@click.argument("shell", type=click.Choice(list(COMPLETIONS)))
def completion(shell: str) -> None:
    """Print a script that has Tab complete this program's commands, options and files, and the names in your configuration.

    Names of wallets, clients, users, exchanges and rules come from config.yml and policies/ as they are at that moment, also
    where those cannot be used yet. Nothing is asked of the service or of Vault. How to install it stands on top of the script.

    \b
    Examples:
      eval "$(vaultsigner completion bash)"
      vaultsigner completion zsh >~/.zfunc/_vaultsigner
      vaultsigner completion fish | source
    """
    root = click.get_current_context().find_root()
    script = COMPLETIONS[shell](root.command, {}, "vaultsigner", COMPLETE_VARIABLE).source()
    # zsh looks for `#compdef` in the first line.
    first, _, rest = script.partition("\n") if script.startswith("#compdef") else ("", "", script)
    click.echo(f"{first}\n{_HOW[shell]}{rest}" if first else f"{_HOW[shell]}{rest}", nl=False)
