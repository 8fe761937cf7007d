from edge.hub.broker_config import BrokerPlan, access_list, broker_config

PLAN = BrokerPlan("/etc/broker/", "CA", "CRL", "CERTIFICATE", "KEY")


def settings_of(plan):
    lines = broker_config(plan)["mosquitto.conf"].splitlines()
    pairs = [line.split(" ", 1) for line in lines if line and not line.startswith("#")]
    return dict(pairs)


def test_nobody_without_a_certificate_of_ours_is_let_in():
    settings = settings_of(PLAN)
    assert settings["require_certificate"] == "true"
    assert settings["allow_anonymous"] == "false"
    assert settings["use_identity_as_username"] == "true"
    assert settings["use_username_as_clientid"] == "true"
    assert settings["tls_version"] == "tlsv1.3"


def test_every_file_that_the_settings_name_is_among_the_files():
    files = broker_config(PLAN)
    folder = "/etc/broker/"
    named = {v for v in settings_of(PLAN).values() if v.startswith(folder)}
    assert {name.removeprefix(folder) for name in named} == set(files) - {
        "mosquitto.conf"
    }
    assert files["broker.key"] == "KEY"


def test_the_largest_message_fits():
    assert int(settings_of(PLAN)["max_packet_size"]) > 8 * 1024 * 1024


def test_what_is_retained_is_kept_where_a_folder_is_given():
    assert settings_of(PLAN)["persistence"] == "false"
    kept = BrokerPlan(
        "/etc/broker", "", "", "", "", address="127.0.0.1", persistence_folder="/kept"
    )
    assert settings_of(kept)["persistence_location"] == "/kept/"
    assert settings_of(kept)["listener"] == "8883 127.0.0.1"


def test_a_booth_is_given_no_topic_of_another():
    rules = access_list().split("user hub")[0].splitlines()
    granted = [rule.split()[-1] for rule in rules if rule.startswith("pattern")]
    assert all(t.startswith(("edge/%u/", "edge/hub/")) for t in granted)
    assert "pattern read edge/hub/#" in rules
