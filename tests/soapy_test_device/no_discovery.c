/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Preloaded into SoapySDRServer by the tests: its server ends at once where there is no Avahi daemon to announce it.
   This stands in for Avahi's client library, and announces nothing: what the tests start stays on loopback. */
#include <stddef.h>
#include <unistd.h>

static int anything;

void *avahi_simple_poll_new(void) { return &anything; }
void avahi_simple_poll_free(void *poll) { (void)poll; }
void *avahi_simple_poll_get(void *poll) { return poll; }
int avahi_simple_poll_iterate(void *poll, int sleep_ms)
{
    (void)poll;
    usleep(sleep_ms > 0 ? sleep_ms * 1000 : 100000);
    return 0;
}
int avahi_simple_poll_loop(void *poll)
{
    (void)poll;
    for (;;) pause();
}
void avahi_simple_poll_quit(void *poll) { (void)poll; }
void *avahi_client_new(void *poll, int flags, void *callback, void *userdata, int *error)
{
    (void)poll, (void)flags, (void)callback, (void)userdata;
    if (error != NULL) *error = 0;
    return &anything;
}
void avahi_client_free(void *client) { (void)client; }
int avahi_client_errno(void *client) { return (void)client, 0; }
int avahi_client_get_state(void *client) { return (void)client, 0; }
const char *avahi_client_get_version_string(void *client) { return (void)client, "none"; }
const char *avahi_client_get_host_name(void *client) { return (void)client, "localhost"; }
const char *avahi_client_get_host_name_fqdn(void *client) { return (void)client, "localhost"; }
const char *avahi_client_get_domain_name(void *client) { return (void)client, "localdomain"; }
void *avahi_entry_group_new(void *client, void *callback, void *userdata)
{
    (void)client, (void)callback, (void)userdata;
    return &anything;
}
int avahi_entry_group_add_service_strlst() { return 0; }
int avahi_entry_group_commit(void *group) { return (void)group, 0; }
int avahi_entry_group_free(void *group) { return (void)group, 0; }
void *avahi_entry_group_get_client(void *group) { return group; }
