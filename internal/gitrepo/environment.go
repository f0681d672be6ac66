package gitrepo

import (
	"github.com/kubelts/kubelts/internal/command"
)

// hardened is the environment of every git process: no configuration but the repository's, no prompt, no pager, no editor, no lazy
// fetch, no transport, no replacement of objects.
func hardened() []string {
	return append(command.Environ("PATH", "TMPDIR", "LD_LIBRARY_PATH"),
		"HOME=/nonexistent", "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
		"GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1", "GIT_OPTIONAL_LOCKS=0", "GIT_ALLOW_PROTOCOL=",
		"GIT_TERMINAL_PROMPT=0", "GIT_PAGER=cat", "GIT_EDITOR=false", "GIT_ASKPASS=false", "GIT_SSH_COMMAND=false",
	)
}

// overrides are put on the command line, which beats every configuration file: whatever could name a program or lie about history.
func overrides() []string {
	settings := []string{
		"core.hooksPath=/dev/null", "core.fsmonitor=false", "core.attributesFile=/dev/null", "core.pager=cat", "core.sshCommand=false",
		"core.commitGraph=false", "core.alternateRefsCommand=false", "diff.external=", "protocol.allow=never", "log.showSignature=false",
		"gpg.program=false", "credential.helper=", "uploadpack.packObjectsHook=false", "fetch.writeCommitGraph=false", "gc.auto=0",
		"safe.directory=*",
	}
	args := make([]string, 0, 2*len(settings))
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

// strange is a git command in the clone itself, under its own configuration less all that could do harm. Only what reads no object may
// be run so.
func (r *Repo) strange(args ...string) command.Cmd {
	argv := append([]string{"git", "--no-pager"}, overrides()...)
	return command.Cmd{Argv: append(argv, args...), Dir: r.dir, Env: hardened()}
}

// ownGit is a git command in a git directory of ours.
func ownGit(gitDir string, args ...string) command.Cmd {
	argv := append([]string{"git", "--no-pager"}, overrides()...)
	return command.Cmd{Argv: append(argv, args...), Dir: gitDir, Env: append(hardened(), "GIT_DIR="+gitDir)}
}
