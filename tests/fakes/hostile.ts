/** What a stranger may write wherever a text goes: every page must show it as text. */
export const HOSTILE = `"><script>document.title='owned'</script><img src=x onerror=alert(1)>`;
