package triage_test

import (
	"fmt"
	"strings"
	"testing"
)

// hooks is a Go file with a function that answers hooks of several senders, with what a declaration of it begins; each of the senders is checked or not.
func hooks(declaration string, senders ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package server\n\n%s {\n\tvar affected []string\n\tfor _, name := range namesOfRepositories(payload) {\n\t\taffected = append(affected, canonicalNameOf(name))\n\t}\n\tlog.Printf(\"%%d repositories are affected\", len(affected))\n", declaration)
	for _, s := range senders {
		name, checked := strings.CutSuffix(s, "!")
		fmt.Fprintf(&b, "\tif push, ok := payload.(*%[1]s.PushEvent); ok {\n\t\tlog.Print(\"a push of %[1]s\")\n\t\tcounterOf%[1]s.Add(1)\n", name)
		if checked {
			fmt.Fprintf(&b, "\t\tif len(push.UpdatesOf%s) == 0 {\n\t\t\treturn nil\n\t\t}\n", name)
		}
		fmt.Fprintf(&b, "\t\taffected = append(affected, push.UpdatesOf%s[0].Name)\n\t}\n", name)
	}
	b.WriteString("\treturn affected\n}\n")
	return b.String()
}

// account is a Go file in which a function sets the ids of a process: with its group or without.
func account(group string) string {
	return "package server\n\n// setupUser sets the ids.\nfunc setupUser(spec *Spec, name string) error {\n\tuid, gid, more, err := userInfoByName(name)\n\tif err != nil {\n\t\treturn err\n\t}\n" +
		"\tspec.SetProcessUser(uid)\n" + group + "\tfor _, each := range more {\n\t\tspec.AddProcessGroup(each)\n\t}\n\treturn nil\n}\n"
}

func TestNotAsNewAsItLooks(t *testing.T) {
	t.Parallel()
	const free, method = "func affected(payload any) []string", "func (h *Handler) affected(payload any) []string"
	run(t, []scenario{
		{"a function that became a method after the branch left", func(w *world) {
			w.Checkout("release-1.0")
			w.Write("hooks.go", hooks(free, "github"))
			w.Commit("Take hooks")
			w.Checkout("main")
			w.CherryPick(w.Rev("release-1.0"))
			w.Write("hooks.go", hooks(free, "github", "azure"))
			w.Commit("Take hooks of azure")
			w.Write("hooks.go", hooks(method, "github", "azure"))
			w.Commit("Let the handler say what is affected")
			w.Write("hooks.go", hooks(method, "github", "azure!"))
			w.names("main", w.Commit("Mind empty hooks"))
		}, "under_investigation not_found introduced"},
		{"a function that became a method, with the hole", func(w *world) {
			w.Checkout("release-1.0")
			w.Write("hooks.go", hooks(free, "github", "azure"))
			w.Commit("Take hooks")
			w.Checkout("main")
			w.CherryPick(w.Rev("release-1.0"))
			w.Write("hooks.go", hooks(method, "github", "azure"))
			w.Commit("Let the handler say what is affected")
			w.Write("hooks.go", hooks(method, "github", "azure!"))
			w.names("main", w.Commit("Mind empty hooks"))
		}, "affected not_found hole_lines"},
		{"a function of which older code did the same in line", func(w *world) {
			w.Checkout("release-1.0")
			w.Write("create.go", "package server\n\nfunc create(spec *Spec, c *Context) {\n\tif user := c.RunAsUser(); user != nil {\n\t\tspec.SetProcessUser(user.Value)\n\t\tspec.SetProcessGroup(user.Value)\n\t}\n}\n")
			w.Commit("Create")
			w.Checkout("main")
			w.CherryPick(w.Rev("release-1.0"))
			w.Write("create.go", "package server\n\nfunc create(spec *Spec, c *Context) error {\n\treturn setupUser(spec, c.Name())\n}\n")
			w.Write("user.go", account("\tspec.SetProcessGroup(gid)\n"))
			w.Commit("Take the user of the image")
			w.Write("user.go", account("\tspec.SetProcessGroup(gid)\n\tspec.AddProcessGroup(gid)\n"))
			w.names("main", w.Commit("Add the first group"))
		}, "under_investigation not_found kindred"},
		{"a program that was written anew", func(w *world) {
			w.Checkout("release-1.0")
			w.oldFiles()
			w.Checkout("main")
			w.CherryPick(w.Rev("release-1.0"))
			w.Git("rm", "-q", "-r", "old")
			w.Commit("Start again")
			w.Write("handler.go", handler())
			w.Commit("Serve names")
			w.Write("handler.go", handler("read", "write", "remove"))
			w.names("main", w.Commit("Refuse names that lead out"))
		}, "under_investigation not_found kindred"},
		{"a program that went on", func(w *world) {
			w.Checkout("release-1.0")
			w.oldFiles()
			w.Checkout("main")
			w.CherryPick(w.Rev("release-1.0"))
			w.late("Serve names", "")
		}, "not_affected introduced introduced introduced absent_symbol absent_symbol absent_symbol"},
		{"what any file may have", func(w *world) {
			w.Checkout("main")
			w.Write("plugin.go", "package server\n\nfunc init() {\n\tregisterThePluginOf(\"names\", withRootDirectory(0711))\n\tregisterThePluginOf(\"values\", withStateDirectory(0711))\n}\n")
			w.Commit("Have plugins")
			w.Write("plugin.go", "package server\n\nfunc init() {\n\tregisterThePluginOf(\"names\", withRootDirectory(0700))\n\tregisterThePluginOf(\"values\", withStateDirectory(0700))\n}\n")
			w.names("main", w.Commit("Close directories"))
		}, "under_investigation not_found introduced"},
	})
}

// oldFiles commits a dozen source files.
func (w *world) oldFiles() {
	for i := range 12 {
		w.Write(fmt.Sprintf("old/part%d.go", i), fmt.Sprintf("package old\n\nfunc part%d() {}\n", i))
	}
	w.Commit("Have a dozen parts")
}
